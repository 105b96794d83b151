"""The same stages, mounted in a FastAPI application that has its own middleware."""
from everything import stages
from fastapi import FastAPI

app = FastAPI()


@app.middleware("http")
async def add_header(request, call_next):
    response = await call_next(request)
    response.headers["x-host"] = "yes"
    return response


@app.get("/own")
async def own():
    return {"own": True}


app.mount("/stages", stages)
