"""The settings of a service: an argument of Stages, else an environment variable, else a default."""
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Mapping, Optional, Union

# Distinguishes an omitted `keep` from None.
UNSET: Any = object()


@dataclass(frozen=True)
class Settings:
    """Times in seconds. `keep` None: keep finished jobs forever."""

    data: Path
    heartbeat: float
    keep: Optional[float]
    grace: float
    pace: float
    max_result_bytes: int
    upstream_headers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def read_settings(
    data: Union[str, "os.PathLike[str]"],
    heartbeat: Optional[float],
    keep: Any,
    grace: Optional[float],
    pace: Optional[float],
    max_result_bytes: Optional[int],
    upstream_headers: Optional[Mapping[str, Mapping[str, str]]],
) -> Settings:
    """Raises TypeError or ValueError that names the argument or the variable."""
    if not isinstance(data, (str, os.PathLike)) or not os.fspath(data):
        raise TypeError(f"Stages(data=…) must be a path, such as \"data\", got {data!r}")
    ten_years = 10 * 366 * 86_400.0
    return Settings(
        data=Path(data).absolute(),  # now, so that a later chdir does not move it
        heartbeat=_number("heartbeat", heartbeat, "STAGE_HEARTBEAT_MS", 0.001, 10.0, 0.01, 3600),
        keep=None if keep is None else _number("keep", None if keep is UNSET else keep, "STAGE_KEEP_SECONDS", 1, 604_800.0, 1, ten_years),
        grace=_number("grace", grace, "SHUTDOWN_GRACE_MS", 0.001, 5.0, 0, 3600),
        pace=_number("pace", pace, "STAGE_PACE_MS", 0.001, 0.0, 0, 3600),
        max_result_bytes=int(
            _number("max_result_bytes", max_result_bytes, "STAGE_MAX_RESULT_BYTES", 1, 1_048_576, 1024, 1 << 30)
        ),
        upstream_headers=upstream_headers or {},
    )


def _number(
    name: str, given: Optional[float], variable: str, unit: float, default: float, least: float, most: float
) -> float:
    if given is not None:
        good = isinstance(given, (int, float)) and not isinstance(given, bool) and least <= given <= most
        if not good:
            raise ValueError(f"Stages({name}=…) must be a number from {least:g} to {most:g}, got {given!r}")
        return given
    text = os.environ.get(variable, "").strip()
    if not text:
        return default
    if not text.isdecimal() or not least <= int(text) * unit <= most:
        raise ValueError(f"{variable} must be a whole number from {round(least / unit)} to {round(most / unit)}, got {text!r}")
    return int(text) * unit
