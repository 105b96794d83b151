/** Real FastAPI services under uvicorn with mistakes that are easy to make in Python. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import t from 'tap'
import { findPython, PYTHON_MISSING } from '../../packages/literature/test/find-python.ts'
import { callAt, job } from '../helpers/stage-call.ts'

const SERVICE = `
import json
from typing import Optional
import uvicorn
from fastapi import FastAPI, HTTPException, Response
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import PlainTextResponse, RedirectResponse, StreamingResponse
from pydantic import BaseModel

app = FastAPI()
app.add_middleware(GZipMiddleware, minimum_size=10)

class Answer(BaseModel):
    success: bool
    stage: Optional[int] = None
    job_id: Optional[str] = None
    artifacts: Optional[list] = None
    results: Optional[dict] = None
    duration_ms: Optional[float] = None
    message: Optional[str] = None

class Inputs(BaseModel):
    year_from: int

class Wanted(BaseModel):
    inputs: Inputs

path = "/api/workflow/stages/{stage}/execute"

@app.post("/optional" + path, response_model=Answer)
def optional(stage: int): return Answer(success=True)
@app.post("/failed" + path, response_model=Answer)
def failed(stage: int): return Answer(success=False, message="no paper could be read")
@app.post("/nan" + path)
def nan(stage: int): return Response(json.dumps({"success": True, "results": {"p": float("nan")}}), media_type="application/json")
@app.post("/twice" + path)
def twice(stage: int): return json.dumps({"success": True})
@app.post("/validation" + path)
def validation(stage: int, wanted: Wanted): return {"success": True}
@app.post("/slash" + path + "/")
def slash(stage: int): return {"success": True}
@app.post("/text" + path)
def text(stage: int): raise HTTPException(503, detail="the model is loading")
@app.post("/crash" + path)
def crash(stage: int): raise RuntimeError("a secret path")
@app.post("/surrogate" + path)
def surrogate(stage: int):
    name = b"caf\\xe9.csv".decode("utf-8", "surrogateescape")
    return Response(json.dumps({"success": True, "artifacts": [name]}), media_type="application/json")
@app.post("/latin" + path)
def latin(stage: int): return Response('{"success":true,"results":{"a":"caf\\u00e9"}}'.encode("latin-1"), media_type="application/json")
@app.post("/lines" + path)
def lines(stage: int):
    def work():
        yield json.dumps({"type": "progress", "percent": 50, "message": None}) + "\\n"
        yield json.dumps({"type": "result", "success": True}) + "\\n"
    return StreamingResponse(work(), media_type="application/jsonl")

server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical"))
import asyncio
async def main():
    task = asyncio.create_task(server.serve())
    while not server.started: await asyncio.sleep(0.01)
    print(server.servers[0].sockets[0].getsockname()[1], flush=True)
    await task
asyncio.run(main())
`

const python = findPython()
t.test('the mistakes of real FastAPI services', { skip: python ? false : PYTHON_MISSING }, async (t) => {
  const child = spawn(python as string, ['-c', SERVICE], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  const [port] = await once(createInterface({ input: child.stdout }), 'line')
  const at = (path: string) =>
    callAt(t, `http://127.0.0.1:${port}/${path}`, { job: { ...job, inputs: { year_from: 'soon' } } })

  t.match((await at('optional')).answer, { success: true }, 'Optional is null')
  t.match((await at('failed')).failure, { code: 'STAGE_FAILED', message: 'no paper could be read' })
  t.match((await at('nan')).failure, { code: 'STAGE_ANSWER_INVALID', retryable: false, message: /NaN/ })
  t.match((await at('twice')).failure, { retryable: false, message: /encoded twice/ })
  t.match((await at('validation')).failure, {
    code: 'STAGE_SERVICE_422',
    retryable: false,
    message: /^body\.inputs\.year_from: .*valid integer/i,
  })
  t.match((await at('slash')).failure, {
    code: 'STAGE_SERVICE_307',
    message: /redirect to http:.*execute\/: WORKER_URL/,
  })
  t.match((await at('text')).failure, {
    code: 'STAGE_SERVICE_503',
    message: 'the model is loading',
    retryable: true,
  })
  t.match((await at('crash')).failure, { code: 'STAGE_SERVICE_500', message: 'Internal Server Error' })
  t.match((await at('surrogate')).failure, { retryable: false, message: /not Unicode/ })
  t.match((await at('latin')).failure, { retryable: false, message: /not UTF-8/ })
  const lines = await at('lines')
  t.match(lines.answer, { success: true })
  t.same(lines.progress, [[50, undefined]])
})
