"""The stages of a service."""
import inspect
import re
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, Optional


@dataclass(frozen=True)
class Stage:
    """A function registered as a stage. `entry` holds its catalogue fields besides stage and version."""

    number: int
    function: Callable[..., Any]
    version: Optional[str]
    inputs: Optional[Callable[..., Any]]
    entry: Dict[str, Any] = field(default_factory=dict)


class Registry(Dict[int, Stage]):
    """Stages by number."""

    def register(self, stage: Stage) -> None:
        """Raises TypeError or ValueError, at import, for a stage that cannot be served."""
        number, version = stage.number, stage.version
        if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= 999:
            raise ValueError(f"a stage's number must be an integer from 1 to 999, got {number!r}")
        if number in self:
            raise ValueError(f"stage {number} is registered twice: {name_of(self[number].function)}, {name_of(stage.function)}")
        if version is not None and not (isinstance(version, str) and version):
            raise TypeError(f"the version of stage {number} must be a string such as \"3\", got {version!r}")
        if stage.inputs is not None and not callable(stage.inputs):
            raise TypeError(f"inputs= of stage {number} must be a dataclass, a Pydantic model or a function")
        if not callable(stage.function):
            raise TypeError(f"stage {number} is not a function")
        _check_takes_job(stage)
        self[number] = stage


def slug_of(function: Callable[..., Any]) -> str:
    """The function's name as a catalogue slug: lower-case letters, digits and single hyphens, at most 64."""
    return re.sub(r"[^a-z0-9]+", "-", name_of(function).lower())[:64].strip("-") or "stage"


def title_of(function: Callable[..., Any]) -> str:
    """The first line of the docstring, or else the name in words."""
    first = (inspect.getdoc(function) or "").strip().split("\n")[0].rstrip(".")
    return first[:200] or slug_of(function).replace("-", " ").capitalize()


def name_of(function: Callable[..., Any]) -> str:
    return getattr(function, "__name__", type(function).__name__)


def _check_takes_job(stage: Stage) -> None:
    try:
        inspect.signature(stage.function).bind(None)
    except TypeError:
        raise TypeError(f"{name_of(stage.function)} of stage {stage.number} must take one argument: the job") from None
    except ValueError:  # a C callable without a signature
        pass
