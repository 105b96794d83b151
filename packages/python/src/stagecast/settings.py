"""What a service can be told when it is made."""
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Mapping, Optional, Union

DAY = 24 * 60 * 60


@dataclass(frozen=True)
class Settings:
    data: Path
    heartbeat: float = 10.0
    keep: Optional[float] = 7.0 * DAY
    grace: float = 5.0
    pace: float = 0.0
    max_result_bytes: int = 1024 * 1024
    upstream_headers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _between("heartbeat", self.heartbeat, 0.01, 3600)
        _between("grace", self.grace, 0, 3600)
        _between("pace", self.pace, 0, 3600)
        _between("max_result_bytes", self.max_result_bytes, 1024, 1 << 30)
        if self.keep is not None:
            _between("keep", self.keep, 1, 10 * 366 * DAY)


def data_folder(data: Union[str, "os.PathLike[str]"]) -> Path:
    """Made absolute at once, so that a later chdir moves nothing."""
    if not isinstance(data, (str, os.PathLike)) or not os.fspath(data):
        raise TypeError(f"Stages(data=…) must be a path, such as \"data\", got {data!r}")
    return Path(data).absolute()


def _between(name: str, value: object, least: float, most: float) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
        raise ValueError(f"Stages({name}=…) must be a number from {least:g} to {most:g}, got {value!r}")
