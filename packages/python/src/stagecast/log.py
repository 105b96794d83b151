"""The log: the standard library's logger `stagecast`. It never contains a question, an input or a result."""
import logging
import os
import traceback
from typing import Any, Dict

from .request import Asked

logger = logging.getLogger("stagecast")


def tell(level: int, message: str, asked: Asked, **more: Any) -> None:
    """Logs one record with `job_id`, `stage` and `more` as attributes, for JSON log formatters."""
    about = {"job_id": asked.job_id, "stage": asked.stage, **more}
    words = " ".join(f"{name}={value}" for name, value in about.items())
    logger.log(level, "%s (%s)", message, words, extra={"event": message, **about})


def tell_end(asked: Asked, outcome: Dict[str, Any]) -> None:
    """Logs how the work ended: with a duration, with an error code, or with neither if it was stopped."""
    if "code" in outcome:
        tell(logging.WARNING, "stage work failed", asked, **outcome)
    else:
        tell(logging.INFO, "stage work finished" if outcome else "stage work stopped", asked, **outcome)


def tell_crash(what: str, error: BaseException) -> None:
    """Logs where user code raised. The exception's text may quote the question, so it is logged only on demand."""
    if os.environ.get("LOG_SERVICE_ERRORS", "").lower() == "true":
        lines = traceback.format_exception(type(error), error, error.__traceback__)
    else:
        hint = f"{type(error).__name__} (set LOG_SERVICE_ERRORS=true to log its message)"
        lines = [*traceback.format_list(_own_frames(error)), hint]
    logger.error("%s raised %s\n%s", what, type(error).__name__, "".join(lines).rstrip())


def _own_frames(error: BaseException) -> "traceback.StackSummary":
    here = os.path.dirname(__file__)
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not frame.filename.startswith(here)]
    return traceback.StackSummary.from_list(own or frames)
