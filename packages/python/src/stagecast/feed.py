"""How processes share a running job: the working process appends lines to a file, and the others read it.

Every reader holds a shared lock on the file while callers in its process wait. The working process therefore knows whether
anybody is still waiting, and a reader that is killed stops counting at once.
"""
import fcntl
import os
from pathlib import Path
from typing import Any, Dict, List, Optional

from . import json_text
from .locks import drop, is_at, try_flock

Line = Dict[str, Any]


class Feed:
    """The writing end."""

    def __init__(self, path: Path, digest: str):
        """Replaces what a killed process may have left. `digest` tells readers which request is running."""
        self._path = path
        fresh = path.with_suffix(".new")
        self._fd = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        self.append({"digest": digest})
        os.rename(fresh, path)

    def append(self, line: Line) -> None:
        data = (json_text.encode(line) + "\n").encode()
        while data:
            data = data[os.write(self._fd, data):]

    def close_to_readers(self) -> bool:
        """False while another process reads the feed. Once True, no process can start reading."""
        return try_flock(self._fd, fcntl.LOCK_EX)

    def close(self) -> None:
        self._path.unlink(missing_ok=True)
        drop(self._fd)


class FeedReader:
    """The reading end, in another process that has callers for the same job."""

    def __init__(self, path: Path, fd: int):
        self._path, self._fd, self._rest = path, fd, b""

    def read(self) -> List[Line]:
        """The lines since the last call."""
        while True:
            data = os.read(self._fd, 65_536)
            if not data:
                break
            self._rest += data
        *lines, self._rest = self._rest.split(b"\n")
        return [json_text.decode(line) for line in lines]

    def is_current(self) -> bool:
        """False once the work has ended or restarted."""
        return is_at(self._path, self._fd)

    def close(self) -> None:
        drop(self._fd)


def read_along(path: Path) -> Optional[FeedReader]:
    """None if there is nothing to read: not started, ended, or stopping."""
    try:
        fd = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    if try_flock(fd, fcntl.LOCK_SH):
        return FeedReader(path, fd)
    os.close(fd)
    return None
