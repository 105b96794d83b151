"""Runs each job only once, however often and in whichever processes of this machine it is requested."""
import asyncio
import logging
from typing import Any, Dict, Optional

from .errors import Refusal, StageError, caller_gone, internal_error, mismatch, shutting_down
from .feed import FeedReader
from .inputs import check_inputs
from .locks import FileLock
from .log import logger, tell
from .registry import Stage
from .request import Asked
from .run import Line, Run, pause
from .store import Store
from .threads import in_thread
from .work import Work

# How often to check what another process does for the same job, in s.
TICK = 0.05


class Runs:
    """The runs of one process."""

    def __init__(self, store: Store, work: Work):
        self._store, self._work = store, work
        self._current: Dict[str, Run] = {}
        self._alive: Dict[Run, "asyncio.Task[None]"] = {}
        self._watches: Dict[Run, "asyncio.Task[None]"] = {}
        self._closing = False

    @property
    def running(self) -> int:
        return len(self._alive)

    def call(self, stage: Stage, asked: Asked) -> "tuple[Run, int]":
        """Joins the job's run or starts it, and adds one caller. `leave` removes that caller.

        Also returns where that caller starts reading: at the first line, or at the newest (-1) if it joined.
        """
        run = self._current.get(asked.job_id)
        seen = -1
        if run and not run.cancelled.is_set():
            if run.asked.digest != asked.digest:
                raise mismatch()
        elif self._closing:
            raise shutting_down()
        else:
            run, seen = self._begin(stage, asked, earlier=run), 0
        run.callers += 1
        return run, seen

    def leave(self, run: Run) -> None:
        """When the last caller leaves, the work stops, unless callers in other processes wait for the same job."""
        run.callers -= 1
        watch = self._watches.get(run)
        if run.callers == 0 and not run.end.done() and (watch is None or watch.done()):
            self._watches[run] = asyncio.create_task(self._cancel_when_left(run))

    def is_running(self, job_id: str) -> bool:
        return job_id in self._current

    async def close(self, grace: float) -> None:
        """Starts nothing more, gives running work `grace` seconds, then stops it with a retryable error."""
        self._closing = True
        await self._gone(grace)
        for run in list(self._alive):
            run.cancel(shutting_down())
        # A thread cannot be killed from outside: one that does not react in time ends with the process.
        await self._gone(1.0)

    async def _gone(self, seconds: float) -> None:
        if self._alive:
            await asyncio.wait(list(self._alive.values()), timeout=seconds)

    def _begin(self, stage: Stage, asked: Asked, earlier: Optional[Run]) -> Run:
        run = self._current[asked.job_id] = Run(asked)
        self._alive[run] = asyncio.create_task(self._attend(run, stage, earlier))
        return run

    async def _attend(self, run: Run, stage: Stage, earlier: Optional[Run]) -> None:
        """Runs to the end. `finally` first forgets the run, so that a caller who sees the end can start another."""
        answer: Optional[Line] = None
        failure: Exception = internal_error()
        try:
            if earlier and not earlier.gone.is_set():  # all callers have left, but it is still stopping
                run.open()
                await earlier.gone.wait()
            answer = await self._pursue(run, stage)
        except (StageError, Refusal) as error:
            failure = error
        except Exception:
            logger.exception("internal error in the stage service")
        finally:
            self._alive.pop(run, None)
            self._watches.pop(run, None)
            if self._current.get(run.asked.job_id) is run:
                del self._current[run.asked.job_id]
            run.gone.set()
            if answer is not None:
                run.finish(answer)
            else:
                run.fail(failure)

    async def _pursue(self, run: Run, stage: Stage) -> Line:
        """Returns the stored answer, another process's answer or our own, whichever comes first."""
        asked = run.asked
        inputs: Any = None
        checked = False
        while True:
            answer = await self._stored(asked)
            if answer:
                return answer
            if not checked:
                inputs, checked = await in_thread(check_inputs, stage.inputs, asked.inputs), True
            if run.cancelled.is_set():
                raise caller_gone()
            lock = self._store.try_lock(asked.job_id)
            if lock:
                # Another process may have finished between the check and the lock.
                answer = await self._release_if_stored(lock, asked)
                return answer or await self._work.do(run, stage, inputs, lock)
            reader = self._store.read_along(asked.job_id)
            if reader:
                try:
                    answer = await self._read_along(run, reader)
                finally:
                    reader.close()
                if answer:
                    return answer
            # The other process is starting or stopping; send heartbeats meanwhile.
            run.open()
            await asyncio.sleep(TICK)

    async def _stored(self, asked: Asked) -> Optional[Line]:
        record = await in_thread(self._store.read, asked.job_id)
        if record is None:
            return None
        if record["digest"] != asked.digest:
            raise mismatch()
        tell(logging.INFO, "stored result returned", asked)
        return dict(record["answer"])

    async def _release_if_stored(self, lock: FileLock, asked: Asked) -> Optional[Line]:
        answer = None
        try:
            answer = await self._stored(asked)
        except BaseException:
            lock.release()
            raise
        if answer:
            lock.release()
        return answer

    async def _read_along(self, run: Run, reader: FeedReader) -> Optional[Line]:
        """Relays another process's lines. Returns None if that process ended without a last line."""
        while not run.cancelled.is_set():
            current = reader.is_current()  # check before reading, because the last line is written before the end
            for line in reader.read():
                if "digest" in line:
                    if line["digest"] != run.asked.digest:
                        raise mismatch()
                    run.open()
                elif line["type"] == "progress":
                    run.add(line["percent"], line.get("message"))
                elif line["type"] == "result":
                    return {name: value for name, value in line.items() if name != "type"}
                elif line["type"] == "error":
                    raise StageError(line["code"], line["message"], line["retryable"])
            if not current:
                return None
            lock = self._store.try_lock(run.asked.job_id)
            if lock:  # the process was killed
                lock.release()
                return None
            await asyncio.sleep(TICK)
        return None

    async def _cancel_when_left(self, run: Run) -> None:
        while run.callers == 0 and not run.end.done():
            if self._work.is_left(run):
                run.cancel()
                return
            await pause(run.gone, TICK)
