"""A stage service in Python: one file to copy and to put your own research code into.

It speaks the stage-service contract of Stagecast: progress as NDJSON lines, heartbeats during slow steps,
stopping when the caller hangs up, the same job id never worked on twice, errors as {"detail": {"code", "message"}},
artifacts to download, /health.

Your work goes into `review()` below, or into a function of your own listed in STAGES. All the rest is plumbing.

    python3 stage_service.py            # settings: HOST, PORT, STAGE_DATA_DIR, STAGE_HEARTBEAT_MS, STAGE_PACE_MS
"""
import asyncio
import hashlib
import json
import os
import re
import shutil
import socket
import tempfile
import time
from pathlib import Path
from typing import Any, AsyncIterator, Awaitable, Callable, Dict, List, NamedTuple, Optional

import uvicorn
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, Response, StreamingResponse
from pydantic import BaseModel, StrictStr, ValidationError
from starlette.exceptions import HTTPException



def number(name: str, default: int) -> int:
    text = os.environ.get(name) or str(default)
    if not text.isdecimal():
        raise SystemExit(f"stage service: {name} must be a whole number, e.g. {default}")
    return int(text)


HOST = os.environ.get("HOST") or "127.0.0.1"
PORT = number("PORT", 8000)  # 0 = a free port
DATA_DIR = Path(os.environ.get("STAGE_DATA_DIR") or ".stagecast/python-stage-service")
HEARTBEAT_S = number("STAGE_HEARTBEAT_MS", 10_000) / 1000
PACE_S = number("STAGE_PACE_MS", 0) / 1000  # least time between two steps, to watch them
MAX_BODY_BYTES = 1024 * 1024


# ---------------------------------------------------------------------------------------------------------------
# Your work
# ---------------------------------------------------------------------------------------------------------------


class StageRequest(BaseModel):
    """What the worker sends. Unknown fields are ignored, wrong types refused."""

    workflow_id: StrictStr
    research_question: Optional[StrictStr] = None
    user_id: StrictStr
    job_id: StrictStr
    inputs: Dict[str, Any] = {}


class StageError(Exception):
    """Raise it to end the job with a clear reason. 4xx is not retried; 5xx, 408, 425 and 429 are."""

    def __init__(self, status: int, code: str, message: str):
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    @property
    def retryable(self) -> bool:
        return self.status >= 500 or self.status in (408, 425, 429)


class Work(NamedTuple):
    """What your function is given: a folder for its artifacts, and a way to say how far it is."""

    folder: Path
    progress: Callable[[float, str], Awaitable[None]]


class Outcome(NamedTuple):
    artifacts: List[str]  # names of the files you wrote into work.folder
    results: Dict[str, Any]  # a small summary; large things belong into artifacts


# Invented records: nothing here was published or measured.
RECORDS = [
    {"id": "py-1", "year": 2021, "title": "Intermittent fasting and blood pressure: an invented trial"},
    {"id": "py-2", "year": 2018, "title": "Cardiovascular health after a year of invented fasting"},
    {"id": "py-3", "year": 2015, "title": "Statins and cardiovascular events: an invented cohort"},
    {"id": "py-4", "year": 2023, "title": "Sleep, memory and an invented laboratory"},
    {"id": "py-5", "year": 2010, "title": "Exercise against depression: invented numbers"},
]
SMALL_WORDS = set("what which are is the a an of on in for and or with to do does how effect effects".split())


async def review(request: StageRequest, work: Work) -> Outcome:
    """STAGE 2. REPLACE THIS BODY BY YOUR OWN WORK.

    - Read request.research_question and request.inputs; raise StageError when they do not suit you.
    - Write files into work.folder and name them in the Outcome. They become visible together, on success only.
    - Call `await work.progress(percent, "what is done")` after each step. When the caller has hung up, the
      awaiting line raises asyncio.CancelledError: let it pass, clean up with try/finally.
    - Anything that blocks (pandas, requests, a model) goes through `await asyncio.to_thread(function, ...)`:
      otherwise nothing else moves meanwhile, heartbeats included. A thread itself cannot be stopped half-way.
    - The same request should give the same files.
    """
    question = (request.research_question or "").strip()
    if not question:
        raise StageError(422, "QUESTION_MISSING", "Stage 2 needs a research_question with words in it.")

    keywords = sorted({word for word in re.findall(r"\w+", question.lower()) if word not in SMALL_WORDS})
    await work.progress(20, f"{len(keywords)} keywords in the question")

    scored = await asyncio.to_thread(score_records, keywords)
    await work.progress(50, f"{len(RECORDS)} invented records scored")

    papers = sorted((paper for paper in scored if paper["score"] > 0), key=lambda p: (-p["score"], p["id"]))
    await work.progress(70, f"{len(papers)} match the question")

    report = {"source": "sample", "notice": "Invented records.", "question": question, "keywords": keywords}
    text = json.dumps({**report, "papers": papers}, indent=2) + "\n"
    (work.folder / "literature_review.json").write_text(text, encoding="utf-8")
    await work.progress(90, "literature_review.json written")
    return Outcome(["literature_review.json"], {"source": "sample", "matched": len(papers)})


def score_records(keywords: List[str]) -> List[Dict[str, Any]]:
    """The slow part in real life; here it counts how many keywords each title holds."""
    return [{**record, "score": sum(word in record["title"].lower() for word in keywords)} for record in RECORDS]


Stage = Callable[[StageRequest, Work], Awaitable[Outcome]]
STAGES: Dict[int, Stage] = {2: review}  # add your own: {2: review, 13: statistical_analysis}


# ---------------------------------------------------------------------------------------------------------------
# Plumbing: one run per job, shared by all who ask for it
# ---------------------------------------------------------------------------------------------------------------

JOBS, SCRATCH = DATA_DIR / "jobs", DATA_DIR / "work"
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Run:
    """A job being worked on: its lines so far, who waits for it, its end."""

    def __init__(self, stage: int, request: StageRequest, digest: str, earlier: Optional["Run"]):
        self.stage, self.request, self.digest = stage, request, digest
        self.lines: List[Dict[str, Any]] = []
        self.news = asyncio.Event()
        self.callers = 0
        self.stopping = False
        self.task = asyncio.create_task(self.work(earlier))
        self.task.add_done_callback(lambda _task: self.ended())

    async def work(self, earlier: Optional["Run"]) -> Dict[str, Any]:
        if earlier:  # what everybody has left may still be stopping: never twice side by side
            await asyncio.wait({earlier.task})
            record = stored_record(self.request.job_id)  # it may have got there after all
            if record:
                return record["answer"]
        log("stage work started", self)
        try:
            answer = await self.produce()
        except asyncio.CancelledError:
            log("stage work stopped", self)
            raise
        except StageError as error:
            log("stage work failed", self, code=error.code)
            raise
        except Exception as error:  # its text may quote the question: only its kind is logged
            log("stage work failed", self, code=type(error).__name__)
            raise StageError(500, "INTERNAL_ERROR", "The stage failed inside; the log of the service says what.") from None
        log("stage work finished", self)
        return answer

    async def produce(self) -> Dict[str, Any]:
        begun = time.monotonic()
        scratch = Path(tempfile.mkdtemp(prefix=f"{self.request.job_id}-", dir=SCRATCH))
        try:
            folder = scratch / "artifacts"
            folder.mkdir()
            await self.progress(0, f"stage {self.stage} started")
            outcome = await STAGES[self.stage](self.request, Work(folder, self.progress))
            answer = {
                "success": True,
                "stage": self.stage,
                "workflow_id": self.request.workflow_id,
                "job_id": self.request.job_id,
                "artifacts": outcome.artifacts,
                "results": outcome.results,
                "duration_ms": round((time.monotonic() - begun) * 1000),
            }
            record = json.dumps({"digest": self.digest, "answer": answer})
            (scratch / "record.json").write_text(record, encoding="utf-8")
            os.rename(scratch, job_folder(self.request.job_id))  # all of it appears at once
            self.add({"type": "progress", "percent": 100, "message": "result stored"})
            return answer
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    async def progress(self, percent: float, message: str) -> None:
        before = self.lines[-1]["percent"] if self.lines else 0
        self.add({"type": "progress", "percent": min(100, max(before, percent)), "message": message})
        await asyncio.sleep(PACE_S)  # at 0 it still lets the line out and a hang-up in

    def add(self, line: Dict[str, Any]) -> None:
        self.lines.append(line)
        self.wake()

    def wake(self) -> None:
        self.news.set()
        self.news = asyncio.Event()

    def ended(self) -> None:
        if RUNS.get(self.request.job_id) is self:
            del RUNS[self.request.job_id]
        if not self.task.cancelled():
            self.task.exception()  # marks it as seen, should nobody be left to see it
        self.wake()

    def leave(self) -> None:
        """One caller fewer; the last one takes the work with it."""
        self.callers -= 1
        if self.callers == 0 and not self.task.done():
            self.stop()

    def stop(self) -> None:
        self.stopping = True
        self.task.cancel()

    async def ndjson(self) -> AsyncIterator[str]:
        """From the newest line on: every line, a heartbeat in silence, the end."""
        sent = max(0, len(self.lines) - 1)
        while True:
            news = self.news  # taken before looking, so that nothing falls in between
            for line in self.lines[sent:]:
                sent += 1
                yield json.dumps(line) + "\n"
            if self.task.done():
                break
            try:
                await asyncio.wait_for(news.wait(), HEARTBEAT_S)
            except asyncio.TimeoutError:
                yield '{"type":"heartbeat"}\n'
        yield json.dumps(self.last_line()) + "\n"

    def last_line(self) -> Dict[str, Any]:
        if self.task.cancelled():
            return {"type": "error", "code": "SHUTTING_DOWN", "message": "The work was stopped.", "retryable": True}
        error = self.task.exception()
        if isinstance(error, StageError):
            return {"type": "error", "code": error.code, "message": error.message, "retryable": error.retryable}
        return {"type": "result", **self.task.result()}


RUNS: Dict[str, Run] = {}


def job_folder(job_id: str) -> Path:
    return JOBS / job_id


def stored_record(job_id: str) -> Optional[Dict[str, Any]]:
    try:
        return json.loads((job_folder(job_id) / "record.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def require_same(known: str, asked: str) -> None:
    if known != asked:
        message = "This job_id was already used with another request; use a new one for new work."
        raise StageError(422, "IDEMPOTENCY_MISMATCH", message)


def digest_of(stage: int, request: StageRequest) -> str:
    fields = [stage, request.workflow_id, request.research_question, request.user_id, request.inputs]
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()


def log(message: str, run: Optional[Run] = None, **more: Any) -> None:
    """One JSON line. Never the question, never an answer."""
    about = {"job_id": run.request.job_id, "stage": run.stage} if run else {}
    print(json.dumps({"time": int(time.time() * 1000), **about, **more, "msg": message}), flush=True)


# ---------------------------------------------------------------------------------------------------------------
# Plumbing: HTTP
# ---------------------------------------------------------------------------------------------------------------

app = FastAPI(title="A stage service in Python")
JOBS.mkdir(parents=True, exist_ok=True)
SCRATCH.mkdir(parents=True, exist_ok=True)


def known_stage(stage: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]?", stage) or int(stage) not in STAGES:
        there = ", ".join(map(str, STAGES))
        raise StageError(404, "STAGE_NOT_FOUND", f"This service has no stage {stage[:20]}; it has: {there}.")
    return int(stage)


async def read_request(request: Request, _stage: int = Depends(known_stage)) -> StageRequest:
    """The body, read by hand: FastAPI itself would take in any size."""
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise StageError(415, "UNSUPPORTED_MEDIA_TYPE", "Send the body as application/json.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise StageError(413, "BODY_TOO_LARGE", "The request body is too large; send 1 MiB at most.")
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        raise StageError(400, "INVALID_JSON", "The body is not valid JSON.")
    if not isinstance(fields, dict):
        raise StageError(422, "INVALID_REQUEST", "The body must be a JSON object.")
    try:
        asked = StageRequest(**fields)
    except ValidationError as error:
        raise invalid(error.errors())
    asked.job_id = asked.job_id.lower()
    if not UUID.fullmatch(asked.job_id):  # it becomes a folder name
        raise StageError(400, "INVALID_JOB_ID", "job_id must be a UUID.")
    if request.headers.get("idempotency-key", asked.job_id).lower() != asked.job_id:
        message = "Idempotency-Key and job_id must be the same UUID."
        raise StageError(400, "IDEMPOTENCY_KEY_MISMATCH", message)
    return asked


@app.post("/api/workflow/stages/{stage}/execute")
async def execute(
    request: Request, stage: int = Depends(known_stage), asked: StageRequest = Depends(read_request)
) -> Response:
    digest = digest_of(stage, asked)
    lines = "application/x-ndjson" in request.headers.get("accept", "")
    run = RUNS.get(asked.job_id)
    if not run or run.stopping:
        record = stored_record(asked.job_id)
        if record:
            require_same(record["digest"], digest)
            return one_line(record["answer"]) if lines else JSONResponse(record["answer"])
        run = RUNS[asked.job_id] = Run(stage, asked, digest, earlier=run)
    require_same(run.digest, digest)
    run.callers += 1
    if lines:
        return LineStream(run)
    try:
        return JSONResponse(await answer_or_hang_up(run, request))
    finally:
        run.leave()


class LineStream(StreamingResponse):
    """NDJSON; whichever way the connection ends, the run hears of it at once."""

    def __init__(self, run: Run):
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        super().__init__(run.ndjson(), headers=headers, media_type="application/x-ndjson")
        self.run = run

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.run.leave()


def one_line(answer: Dict[str, Any]) -> Response:
    return Response(json.dumps({"type": "result", **answer}) + "\n", media_type="application/x-ndjson")


async def answer_or_hang_up(run: Run, request: Request) -> Dict[str, Any]:
    async def hang_up() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    watch = asyncio.create_task(hang_up())
    try:
        await asyncio.wait({run.task, watch}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        watch.cancel()
    if not run.task.done():
        raise StageError(499, "CALLER_GONE", "The caller hung up.")  # nobody is there to read it
    if run.task.cancelled():
        raise StageError(503, "SHUTTING_DOWN", "The work was stopped; ask again in a moment.")
    return run.task.result()


@app.get("/api/workflow/jobs/{job_id}/artifacts/{name}")
async def artifact(job_id: str, name: str) -> Response:
    """Only names the stage declared can be asked for, so no spelling of a path leads anywhere else."""
    known = UUID.fullmatch(job_id.lower())
    record = stored_record(job_id.lower()) if known else None
    path = job_folder(job_id.lower()) / "artifacts" / name
    if not record or name not in record["answer"]["artifacts"] or path.is_symlink() or not path.is_file():
        raise StageError(404, "ARTIFACT_NOT_FOUND", "There is no such artifact; see `artifacts` of the result.")
    return FileResponse(path, headers={"x-content-type-options": "nosniff"})


@app.get("/health")
async def health() -> Dict[str, Any]:
    return {"status": "ok", "stages": list(STAGES), "running": len(RUNS)}


def failure(status: int, code: str, message: str) -> JSONResponse:
    return JSONResponse({"detail": {"code": code, "message": message}}, status_code=status)


def invalid(errors: Any) -> StageError:
    first = errors[0]  # its `input`, where there is one, is the caller's text and stays unsaid
    where = "/".join(str(part) for part in first["loc"])
    return StageError(422, "INVALID_REQUEST", f"{where}: {first['msg']}.")


@app.exception_handler(StageError)
async def on_stage_error(_request: Request, error: StageError) -> Response:
    return failure(error.status, error.code, error.message)


@app.exception_handler(RequestValidationError)
async def on_invalid(_request: Request, error: RequestValidationError) -> Response:
    refused = invalid(error.errors())
    return failure(refused.status, refused.code, refused.message)


@app.exception_handler(HTTPException)
async def on_http_error(_request: Request, error: HTTPException) -> Response:
    codes = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED"}
    return failure(error.status_code, codes.get(error.status_code, "HTTP_ERROR"), str(error.detail))


@app.exception_handler(Exception)
async def on_bug(_request: Request, _error: Exception) -> Response:
    return failure(500, "INTERNAL_ERROR", "The stage service failed inside; its log says what.")


class Server(uvicorn.Server):
    """On SIGTERM or Ctrl-C running work is stopped; its callers are told that a retry is worthwhile."""

    def handle_exit(self, sig: int, frame: Any) -> None:
        for run in list(RUNS.values()):
            run.task.get_loop().call_soon_threadsafe(run.stop)
        super().handle_exit(sig, frame)


def main() -> None:
    listener = socket.socket(socket.AF_INET6 if ":" in HOST else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, PORT))
        listener.listen(128)
    except OSError as error:
        raise SystemExit(f"stage service: cannot listen on {HOST}:{PORT}: {error.strerror}") from None
    log(f"stage service listening at http://{HOST}:{listener.getsockname()[1]}")
    Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[listener])


if __name__ == "__main__":
    main()
