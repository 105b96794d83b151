"""The ways in which a stage, or a request for one, fails."""
import asyncio
import re
from typing import Dict, Optional

CODE = re.compile(r"[A-Za-z0-9_.-]{1,100}")


class StageError(Exception):
    """Raise it in a stage to end the job with a reason that its owner can read.

    code: a stable word for programs, such as "TOO_FEW_PAPERS" (letters, digits, `_`, `.`, `-`; at most 100).
    message: one readable sentence. Stagecast shows the first 500 characters.
    retryable: True if another attempt may succeed (a database was down); False if it would fail again.
    """

    def __init__(self, code: str, message: str, retryable: bool = False):
        super().__init__(code, message)
        self.code = code if isinstance(code, str) and CODE.fullmatch(code) else "STAGE_FAILED"
        self.message = str(message).encode("utf-8", "replace").decode("utf-8")
        self.retryable = bool(retryable)

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class Cancelled(asyncio.CancelledError):
    """Nobody is waiting for the job any more. Clean up with `try`/`finally` and let it propagate.

    Raised at the next step of a cancelled job: a `yield`, `job.progress`, `job.write` or `job.open`. As a
    subclass of `asyncio.CancelledError` it is not an `Exception`, so `except Exception` does not swallow it.
    """


class Refusal(Exception):
    """An error answer over HTTP: a status, a code for programs, a readable sentence, extra headers."""

    def __init__(self, status: int, code: str, message: str, headers: Optional[Dict[str, str]] = None):
        super().__init__(status, code, message)
        self.status, self.code, self.message = status, code, message
        self.headers = headers or {}

    @property
    def retryable(self) -> bool:
        """Whether Stagecast retries a call that got this status."""
        return self.status >= 500 or self.status in (408, 425, 429)


def shutting_down() -> Refusal:
    return Refusal(503, "SHUTTING_DOWN", "The stage service is shutting down; try again in a moment.", {"retry-after": "1"})


def internal_error() -> Refusal:
    return Refusal(500, "INTERNAL_ERROR", "An internal error occurred in the stage service; its log says where.")


def caller_gone() -> Refusal:
    """The error of a job that no caller waits for."""
    return Refusal(499, "CALLER_GONE", "The last caller disconnected.")


def mismatch() -> Refusal:
    message = "This job_id was already used with a different request; use a new job_id for new work."
    return Refusal(422, "IDEMPOTENCY_MISMATCH", message)
