"""One job in one process: its progress, its callers and its end."""
import asyncio
import threading
from collections import deque
from typing import Any, Callable, Deque, Dict, List, Optional, Tuple

from .errors import Cancelled, Refusal, caller_gone
from .request import Asked

Line = Dict[str, Any]

# Progress is a state, not a ledger: a slow caller skips older lines.
MAX_LINES = 256


class Run:
    """Created and read in the server's event loop; `add` may be called in any thread."""

    def __init__(self, asked: Asked):
        self.asked = asked
        self.loop = asyncio.get_running_loop()
        self.callers = 0
        self.cancelled = threading.Event()
        # Resolves once the request is accepted, so that an answer may begin.
        self.opened: "asyncio.Future[None]" = self.loop.create_future()
        # Resolves with the answer, or raises StageError or Refusal. Callers await it.
        self.end: "asyncio.Future[Line]" = self.loop.create_future()
        # Set when the run has stopped completely; later than `end` if a stopped stage is slow to notice.
        self.gone = asyncio.Event()
        self._lock = threading.Lock()
        self._lines: Deque[Line] = deque(maxlen=MAX_LINES)
        self._count = 0
        self._percent: float = 0
        self._news = asyncio.Event()
        self._waking = False
        self._on_cancel: List[Callable[[], None]] = []

    def add(self, percent: Optional[float], message: Optional[str]) -> None:
        """Reports a step to all callers. Progress never goes back: a lower percentage counts as the last one."""
        with self._lock:
            self._percent = max(self._percent, self._percent if percent is None else percent)
            line: Line = {"type": "progress", "percent": self._percent}
            if message is not None:
                line["message"] = message
            self._lines.append(line)
            self._count += 1
            if self._waking:
                return
            self._waking = True
        try:
            self.loop.call_soon_threadsafe(self._wake)
        except RuntimeError:  # the server has closed its loop
            raise Cancelled("the server has shut down") from None

    def after(self, seen: int) -> Tuple[int, List[Line]]:
        """The lines after the first `seen`, and their total. Below 0: only the newest line."""
        with self._lock:
            start = self._count - 1 if seen < 0 else seen
            new = min(max(0, self._count - max(0, start)), len(self._lines))
            return self._count, list(self._lines)[len(self._lines) - new:]

    def news(self) -> asyncio.Event:
        """An event that the next line or the end sets. Get it before you read the lines, so that you miss none."""
        return self._news

    def open(self) -> None:
        if not self.opened.done():
            self.opened.set_result(None)

    def finish(self, answer: Line) -> None:
        self.open()
        if not self.end.done():
            self.end.set_result(answer)
        self._wake()

    def fail(self, error: Exception) -> None:
        """Ends the run with `error`. Before the answer has begun, `opened` raises it too."""
        for future in (self.opened, self.end):
            if not future.done():
                future.set_exception(error)
                future.exception()  # marks it as retrieved, in case nobody is left to retrieve it
        self._wake()

    def cancel(self, error: Optional[Refusal] = None) -> None:
        """Stops the work at its next step and sends `error` at once to everybody still waiting."""
        self.fail(error or caller_gone())
        with self._lock:
            self.cancelled.set()
            told, self._on_cancel = self._on_cancel, []
        for tell in told:
            tell()

    def on_cancel(self, tell: Callable[[], None]) -> None:
        """Calls `tell` in some thread when the run is cancelled, or at once if it already is."""
        with self._lock:
            if not self.cancelled.is_set():
                self._on_cancel.append(tell)
                return
        tell()

    def _wake(self) -> None:
        with self._lock:
            self._waking = False
        self._news.set()
        self._news = asyncio.Event()


async def pause(event: asyncio.Event, seconds: float) -> bool:
    """Waits for the event, at most `seconds`. Returns whether it was set.

    Not asyncio.wait_for: before Python 3.12 it loses a cancellation that coincides with the event.
    """
    waiter = asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait({waiter}, timeout=seconds)
        return waiter.done()
    finally:
        waiter.cancel()
