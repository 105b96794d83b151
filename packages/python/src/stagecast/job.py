"""The job object that a stage function receives."""
import asyncio
import math
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Dict, Generator, Iterator, Optional, Union

from .errors import Cancelled, StageError
from .run import Run
from .store import MAX_ARTIFACTS, Workspace, check_name
from .upstream import Upstream
from .work_loop import WorkLoop

Data = Union[str, bytes, bytearray, memoryview]


class Job:
    """One job, as seen by the stage function that runs it.

    job_id, workflow_id, user_id: strings. run_id: a string, or None outside a workflow run.
    stage: its number. attempt: 1 for the first try; counts every start, including those after a crash.
    question: the research question, or None. inputs: the stage's own inputs: a dict, or what `inputs=` makes of it.
    upstream: results and files of earlier stages, by stage number.
    """

    def __init__(self, run: Run, inputs: Any, workspace: Workspace, work_loop: WorkLoop, pace: float, upstream: Upstream):
        asked = run.asked
        self.job_id, self.workflow_id, self.user_id = asked.job_id, asked.workflow_id, asked.user_id
        self.run_id, self.stage, self.attempt = asked.run_id, asked.stage, asked.attempt
        self.question, self.inputs, self.upstream = asked.question, inputs, upstream
        self._run, self._workspace, self._work_loop, self._pace_s = run, workspace, work_loop, pace
        self._names: Dict[str, None] = {}

    @property
    def cancelled(self) -> bool:
        """True once nobody is waiting for the result. Check it in long loops that have no other step."""
        return self._run.cancelled.is_set()

    def progress(self, percent: float, message: Optional[str] = None) -> "Told":
        """Reports progress: 0 to 100, and one sentence. May be awaited.

        Raises Cancelled if nobody is waiting any more, and StageError `STAGE_PROGRESS_INVALID` for a bad percentage.
        """
        self._report(percent, message)
        if not self._work_loop.is_here():
            self._pace()
        return Told(self)

    def write(self, name: str, data: Data) -> None:
        """Writes an artifact: text as UTF-8, or bytes. It appears complete or not at all; a second write replaces it."""
        if isinstance(data, str):
            try:
                data = data.encode("utf-8")
            except UnicodeEncodeError:
                message = f"The text for {ascii(name)} contains half a surrogate pair, which UTF-8 cannot encode."
                raise StageError("ARTIFACT_INVALID", message) from None
        elif not isinstance(data, (bytes, bytearray, memoryview)):
            message = f"job.write takes text or bytes; for {ascii(name)} it got a {type(data).__name__}."
            raise StageError("ARTIFACT_INVALID", message)
        with self.open(name) as file:
            file.write(data)

    @contextmanager
    def open(self, name: str, mode: str = "wb", **options: Any) -> Iterator[IO[Any]]:
        """`with job.open("big.csv", "w") as file:` writes an artifact piece by piece.

        mode: "wb" (bytes) or "w" (text, UTF-8 unless `encoding=` says otherwise; `options` are those of `open`).
        The artifact appears when the block ends without an exception.
        """
        self._check()
        path = self._new(name)
        if mode not in ("wb", "w"):
            raise StageError("ARTIFACT_INVALID", f"job.open takes the mode 'wb' or 'w', not {ascii(mode)}.")
        if mode == "w":
            options.setdefault("encoding", "utf-8")
        fd, part = tempfile.mkstemp(dir=self._workspace.parts)
        try:
            with os.fdopen(fd, mode, **options) as file:
                yield file
            self._check()
            os.replace(part, path)
        except BaseException:
            os.unlink(part)
            raise
        self._names[name] = None

    def path(self, name: str) -> Path:
        """The path for a library that wants to write an artifact itself. The file must exist when the stage ends."""
        self._check()
        path = self._new(name)
        self._names[name] = None
        return path

    @property
    def artifacts(self) -> "list[str]":
        """The names written so far, in order."""
        return list(self._names)

    def _new(self, name: str) -> Path:
        check_name(name)
        if name not in self._names and len(self._names) >= MAX_ARTIFACTS:
            message = f"A job may have {MAX_ARTIFACTS} artifacts; combine the rest into one file."
            raise StageError("TOO_MANY_ARTIFACTS", message)
        return self._workspace.artifacts / name

    def _step(self, item: Any, result: Any) -> Any:
        """Takes what a generator yielded: percent, (percent, message), nothing, or finally the result."""
        if result is not None:
            raise StageError("STAGE_PROGRESS_INVALID", "A yielded dict is the result, so it must be the last yield.")
        if isinstance(item, dict):
            return item
        if item is None:
            self._check()
        elif isinstance(item, tuple) and len(item) == 2:
            self._report(*item)
        elif isinstance(item, (tuple, str)):
            message = "Yield a percentage, or a percentage and a message: yield 50, \"half done\"."
            raise StageError("STAGE_PROGRESS_INVALID", message)
        else:
            self._report(item, None)
        return None

    def _report(self, percent: Any, message: Any) -> None:
        self._check()
        number = not isinstance(percent, bool) and isinstance(percent, (int, float))
        if not number or not math.isfinite(percent) or not 0 <= percent <= 100:
            raise StageError("STAGE_PROGRESS_INVALID", f"Progress must be a number from 0 to 100, got {ascii(percent)[:40]}.")
        if message is not None:
            if not isinstance(message, str):
                kind = type(message).__name__
                raise StageError("STAGE_PROGRESS_INVALID", f"A progress message must be a string, got a {kind}.")
            message = message.encode("utf-8", "replace").decode("utf-8")[:1000]
        self._run.add(percent, message)

    def _check(self) -> None:
        if self.cancelled:
            raise Cancelled("nobody is waiting for this job any more")

    def _pace(self) -> None:
        if self._pace_s > 0:
            self._run.cancelled.wait(self._pace_s)
        self._check()

    async def _pace_async(self) -> None:
        await asyncio.sleep(self._pace_s)
        self._check()


class Told:
    """Awaiting it lets other asynchronous stages run; not awaiting it is fine."""

    def __init__(self, job: Job):
        self._job = job

    def __await__(self) -> Generator[Any, Any, None]:
        return self._job._pace_async().__await__()
