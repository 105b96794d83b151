"""Locks between processes on one machine. A lock ends with its process, even if the process is killed."""
import os
from pathlib import Path
from typing import Optional

try:
    import fcntl
except ImportError:  # Windows
    raise ImportError("stagecast needs POSIX file locks: run it on Linux, macOS or WSL.") from None


class FileLock:
    """A held exclusive lock. The file exists only while somebody holds it."""

    def __init__(self, path: Path, fd: int):
        self._path, self._fd = path, fd

    def release(self) -> None:
        self._path.unlink(missing_ok=True)
        drop(self._fd)


def try_lock(path: Path) -> Optional[FileLock]:
    """Returns the lock at `path`, or None if somebody else holds it. Never waits."""
    while True:
        fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        if not try_flock(fd, fcntl.LOCK_EX):
            os.close(fd)
            return None
        if is_at(path, fd):
            return FileLock(path, fd)
        drop(fd)  # the last holder has just removed the file, and another process may already hold a new one


def try_flock(fd: int, kind: int) -> bool:
    """Takes LOCK_EX or LOCK_SH on an open file. False if another open file holds a conflicting lock."""
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
        return True
    except BlockingIOError:
        return False


def is_at(path: Path, fd: int) -> bool:
    """Whether the open file is still the one that `path` names."""
    try:
        there = os.stat(path)
    except FileNotFoundError:
        return False
    return os.path.samestat(there, os.fstat(fd))


def drop(fd: int) -> None:
    """Unlocks and closes. A forked child may share the open file, so closing alone would not unlock it."""
    fcntl.flock(fd, fcntl.LOCK_UN)
    os.close(fd)
