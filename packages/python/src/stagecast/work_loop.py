"""The event loop of asynchronous stages: one per process, in its own thread.

The server's loop stays independent of what stages do, so heartbeats continue even if a stage blocks.
"""
import asyncio
import threading
from typing import Any, Coroutine, Generator, Optional

from .errors import Cancelled
from .run import Run

# How long a cancelled stage may take to reach its next step before its current `await` is interrupted, in s.
INTERRUPT_AFTER = 1.0


class WorkLoop:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: Optional[asyncio.AbstractEventLoop] = None
        self._thread: Optional[threading.Thread] = None

    def is_here(self) -> bool:
        return self._thread is threading.current_thread()

    def result_of(self, coroutine: Coroutine[Any, Any, Any], run: Run) -> Any:
        """Runs the coroutine in the loop, waits for it in this thread, and raises what it raises."""
        loop = self._started()
        done = threading.Event()
        outcome: Any = None

        async def guarded() -> None:
            nonlocal outcome
            try:
                outcome = (await _Interruptible(coroutine, run), None)
            except BaseException as error:  # including SystemExit, which would end the loop of all stages
                outcome = (None, error)
            finally:
                done.set()

        def start() -> None:
            task = loop.create_task(guarded())
            run.on_cancel(lambda: loop.call_soon_threadsafe(loop.call_later, INTERRUPT_AFTER, task.cancel))

        loop.call_soon_threadsafe(start)
        done.wait()
        value, error = outcome
        if error:
            raise error
        return value

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                loop = self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=_forever, args=(loop,), name="stages", daemon=True)
                self._thread.start()
            return self._loop


def _forever(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    while True:
        try:
            loop.run_forever()
        except BaseException as error:  # SystemExit from a task that a stage started
            loop.call_exception_handler({"message": "a task of a stage tried to end the process", "exception": error})


class _Interruptible:
    """Awaits a coroutine. The interruption of a cancelled run reaches it once, as `Cancelled`."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], run: Run):
        self._coroutine, self._run = coroutine, run

    def __await__(self) -> Generator[Any, Any, Any]:
        error: Optional[BaseException] = None
        interrupted = False
        while True:
            try:
                awaited = self._coroutine.throw(error) if error else self._coroutine.send(None)
            except StopIteration as stop:
                return stop.value
            try:
                yield awaited
                error = None
            except asyncio.CancelledError as cancelled:
                error = cancelled
                if self._run.cancelled.is_set() and not interrupted:
                    interrupted, error = True, Cancelled("nobody is waiting for this job any more")
            except BaseException as other:
                error = other
