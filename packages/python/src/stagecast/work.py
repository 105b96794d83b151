"""Runs a job in this process: thread, files, result check, publishing, and the feed for other processes."""
import asyncio
import logging
import threading
import time
from typing import Any, Dict, Optional

from .drive import drive
from .errors import Cancelled, Refusal, StageError, caller_gone, internal_error
from .feed import Feed
from .job import Job
from .json_text import Unfit, encode, fit
from .locks import FileLock
from .log import tell, tell_crash, tell_end
from .registry import Stage
from .run import Line, Run
from .store import Store, Workspace, inspect_files
from .upstream import Headers, Upstream
from .work_loop import WorkLoop

# Write the feed for other processes at most this often, in s.
MIRROR_EVERY = 0.05


class Work:
    def __init__(self, store: Store, pace: float, max_result_bytes: int, upstream_headers: Headers):
        self._store, self._pace, self._max_result_bytes = store, pace, max_result_bytes
        self._upstream_headers = upstream_headers
        self._loop = WorkLoop()
        self._feeds: Dict[Run, Feed] = {}

    async def do(self, run: Run, stage: Stage, inputs: Any, lock: FileLock) -> Line:
        """Returns the answer; raises StageError or Refusal. Afterwards nothing but the result is left."""
        asked = run.asked
        last: Line = error_line(internal_error())
        outcome: Dict[str, Any] = {"code": "INTERNAL_ERROR"}
        feed: Optional[Feed] = None
        mirror: Optional["asyncio.Task[None]"] = None
        try:
            feed = self._feeds[run] = self._store.feed(asked.job_id, asked.digest)
            mirror = asyncio.create_task(_mirror(run, feed))
            run.open()
            answer = await self._in_thread(run, stage, inputs)
            last = {"type": "result", **answer}
            outcome = {"duration_ms": answer["duration_ms"]}
            return answer
        except Cancelled:
            last, outcome = {}, {}  # without a last line, a process waiting for the job takes over
            raise caller_gone() from None
        except StageError as error:
            last, outcome = error_line(error), {"code": error.code}
            raise
        finally:
            self._feeds.pop(run, None)
            if mirror:
                mirror.cancel()
            if feed:
                if last:
                    feed.append(last)
                feed.close()
            lock.release()
            tell_end(asked, outcome)

    def is_left(self, run: Run) -> bool:
        """Whether no other process waits for the job. Once True, no process can start to wait."""
        feed = self._feeds.get(run)
        return feed is None or feed.close_to_readers()

    async def _in_thread(self, run: Run, stage: Stage, inputs: Any) -> Line:
        """Runs the stage in its own thread. Returns the result, or raises an error that is fit to send."""
        loop = asyncio.get_running_loop()
        done: "asyncio.Future[Line]" = loop.create_future()

        def settle(answer: Optional[Line], error: Optional[BaseException]) -> None:
            if error is not None:
                done.set_exception(error)
            elif answer is not None:
                done.set_result(answer)

        def target() -> None:
            answer, error = None, None
            try:
                answer = self._produce(run, stage, inputs)
            except BaseException as raised:
                error = _told(run, raised)
            try:
                loop.call_soon_threadsafe(settle, answer, error)
            except RuntimeError:  # the server has shut down and closed its loop
                pass

        name = f"stage-{stage.number}-{run.asked.job_id[:8]}"
        threading.Thread(target=target, name=name, daemon=True).start()
        return await done

    def _produce(self, run: Run, stage: Stage, inputs: Any) -> Line:
        asked = run.asked
        begun = time.monotonic()
        tell(logging.INFO, "stage work started", asked)
        workspace = self._store.workspace(asked.job_id)
        try:
            job = self._job(run, inputs, workspace)
            job.progress(0, f"stage {asked.stage} started")
            results = fit_results(drive(stage.function, job, self._loop), asked.stage)
            job._check()
            files = inspect_files(workspace, job.artifacts)
            answer = {
                "success": True,
                "stage": asked.stage,
                "workflow_id": asked.workflow_id,
                "job_id": asked.job_id,
                "artifacts": job.artifacts,
                "files": files,
                "results": results,
                "duration_ms": round((time.monotonic() - begun) * 1000),
            }
            self._check_size(answer)
            job._check()
            self._store.publish(asked.job_id, workspace, {"digest": asked.digest, "answer": answer, "files": files})
            run.add(100, "result stored")
            return answer
        finally:
            workspace.drop()

    def _job(self, run: Run, inputs: Any, workspace: Workspace) -> Job:
        def check() -> None:
            if run.cancelled.is_set():
                raise Cancelled("nobody is waiting for this job any more")

        upstream = Upstream(run.asked.upstream, workspace.upstream, check, self._upstream_headers)
        return Job(run, inputs, workspace, self._loop, self._pace, upstream)

    def _check_size(self, answer: Line) -> None:
        size = len(encode(answer).encode())
        if size > self._max_result_bytes:
            message = (
                f"The result of stage {answer['stage']} takes {size} bytes, more than the {self._max_result_bytes} allowed; "
                "write large data to a file with job.write and return a summary."
            )
            raise StageError("STAGE_RESULT_TOO_LARGE", message)


def fit_results(value: Any, stage: int) -> Dict[str, Any]:
    """Turns a stage's return value into plain JSON; raises StageError `STAGE_RESULT_INVALID`."""
    if not isinstance(value, dict):
        what = "nothing" if value is None else f"a {type(value).__name__}"
        message = f"Stage {stage} returned {what}; it must return a dict, for example {{\"papers\": 12}}, or {{}}."
        raise StageError("STAGE_RESULT_INVALID", message)
    try:
        return fit(value, "results", depth=2)  # type: ignore[no-any-return]
    except Unfit as error:
        message = str(error).encode("utf-8", "replace").decode("utf-8")
        raise StageError("STAGE_RESULT_INVALID", f"Stage {stage}: {message}") from None


def error_line(error: Exception) -> Line:
    """The last line of a failed answer."""
    if not isinstance(error, (StageError, Refusal)):
        error = internal_error()
    return {"type": "error", "code": error.code, "message": error.message, "retryable": error.retryable}


def _told(run: Run, error: BaseException) -> BaseException:
    """The error that callers get for an exception. Only a StageError passes its message on."""
    if run.cancelled.is_set():
        if not isinstance(error, Cancelled):
            tell(logging.DEBUG, f"a cancelled stage ended with {type(error).__name__}", run.asked)
        return Cancelled("nobody is waiting for this job any more")
    if isinstance(error, StageError):
        return error
    tell_crash(f"stage {run.asked.stage}, job {run.asked.job_id},", error)
    kind = type(error).__name__
    message = f"Stage {run.asked.stage} raised {kind}; the log of the stage service says where."
    return StageError("STAGE_CRASHED", message, retryable=True)


async def _mirror(run: Run, feed: Feed) -> None:
    """Copies progress to the feed; if there is a lot, only the newest."""
    seen = 0
    while True:
        news = run.news()
        seen, lines = run.after(seen)
        for line in lines:
            feed.append(line)
        await asyncio.sleep(MIRROR_EVERY)
        await news.wait()
