"""The data folder.

    jobs/<job id>/record.json, artifacts/    a finished job; appears complete, by one rename
    work/<job id>-<random>/                  a running job, or what a killed process left of it
    running/<job id>.lock, .feed             which process runs a job, and what it reports to the others

All processes that share the folder must run on one machine, because the locks are local.
"""
import hashlib
import os
import re
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any, Dict, Iterable, List, Optional

from . import json_text
from .errors import StageError
from .feed import Feed, FeedReader, read_along
from .locks import FileLock, try_lock
from .media_types import media_type_of

MAX_ARTIFACTS = 1000
_NAME = re.compile(r"(?!\.{1,2}$)[^/\\\x00-\x1f\x7f]+")
_OF_A_JOB = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(-.*)?")

Record = Dict[str, Any]


def check_name(name: Any) -> str:
    """Returns `name` if it can name an artifact; else raises StageError `ARTIFACT_NAME_INVALID`."""
    shown = ascii(name)[:100]
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        message = f"{shown} cannot name an artifact: use a bare file name without `/`, `\\` or control characters."
        raise StageError("ARTIFACT_NAME_INVALID", message)
    try:
        size = len(name.encode("utf-8"))
    except UnicodeEncodeError:
        raise StageError("ARTIFACT_NAME_INVALID", f"{shown} cannot name an artifact: it is not valid Unicode.") from None
    if size > 255:
        raise StageError("ARTIFACT_NAME_INVALID", f"An artifact's name may have 255 bytes in UTF-8; {shown}… has {size}.")
    return name


class Workspace:
    """Where a job puts its files until it is finished."""

    def __init__(self, root: Path):
        self.root, self.artifacts, self.parts = root, root / "artifacts", root / "parts"
        self.upstream = root / "upstream"
        for folder in (self.artifacts, self.parts, self.upstream):
            folder.mkdir()

    def drop(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)


class Store:
    def __init__(self, data: Path):
        """Creates missing folders; raises OSError if they are unusable."""
        self.jobs, self.work, self.running = (data / name for name in ("jobs", "work", "running"))
        for folder in (self.jobs, self.work, self.running):
            folder.mkdir(parents=True, exist_ok=True)
        if not os.access(self.jobs, os.W_OK):
            raise PermissionError(f"{self.jobs} is not writable")

    def read(self, job_id: str) -> Optional[Record]:
        """The record of a finished job: `digest`, `answer`, `files`. None if it is missing or damaged."""
        try:
            record = json_text.decode((self.jobs / job_id / "record.json").read_bytes())
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return None
        complete = isinstance(record, dict) and {"digest", "answer", "files"} <= set(record)
        return record if complete else None

    def artifact_path(self, job_id: str, name: str) -> Path:
        return self.jobs / job_id / "artifacts" / name

    def try_lock(self, job_id: str) -> Optional[FileLock]:
        return try_lock(self.running / f"{job_id}.lock")

    def feed(self, job_id: str, digest: str) -> Feed:
        return Feed(self.running / f"{job_id}.feed", digest)

    def read_along(self, job_id: str) -> Optional[FeedReader]:
        return read_along(self.running / f"{job_id}.feed")

    def workspace(self, job_id: str) -> Workspace:
        """Creates a workspace. The caller holds the job's lock, so an existing one was left by a killed process."""
        for left in self.work.glob(f"{job_id}-*"):
            shutil.rmtree(left, ignore_errors=True)
        return Workspace(Path(tempfile.mkdtemp(prefix=f"{job_id}-", dir=self.work)))

    def publish(self, job_id: str, workspace: Workspace, record: Record) -> None:
        """Publishes the work durably; the caller holds the job's lock."""
        for left in (workspace.parts, workspace.upstream):
            shutil.rmtree(left, ignore_errors=True)
        path = workspace.root / "record.json"
        path.write_text(json_text.encode(record), encoding="utf-8")
        for each in (path, workspace.artifacts, workspace.root):
            _flush(each)
        self.discard(job_id)  # a damaged one
        os.rename(workspace.root, self.jobs / job_id)
        _flush(self.jobs)

    def discard(self, job_id: str) -> bool:
        """Removes a finished job, hiding it in one step. False if there is none."""
        grave = tempfile.mkdtemp(prefix="gone-", dir=self.work)
        try:
            os.rename(self.jobs / job_id, grave)
            return True
        except (FileNotFoundError, NotADirectoryError):
            return False
        finally:
            shutil.rmtree(grave, ignore_errors=True)

    def sweep(self, keep: Optional[float]) -> int:
        """Removes what killed processes left, and jobs that finished more than `keep` seconds ago. Returns the count."""
        removed = 0
        for path in [*self.work.iterdir(), *self.running.iterdir()]:
            removed += self._sweep_leftover(path)
        if keep is not None:
            for folder in _older_than(self.jobs.iterdir(), time.time() - keep):
                removed += self.discard(folder.name)
        return removed

    def _sweep_leftover(self, path: Path) -> bool:
        job = _OF_A_JOB.match(path.name)
        if not job:  # being deleted: its process removes it soon, or died
            old = any(True for _ in _older_than([path], time.time() - 3600))
            return old and _remove(path)
        lock = self.try_lock(job.group(1))
        if not lock:
            return False
        try:
            return path.suffix != ".lock" and _remove(path)
        finally:
            lock.release()


def inspect_files(workspace: Workspace, names: Iterable[str]) -> List[Dict[str, Any]]:
    """`name`, `sha256` (hex), `bytes` and `media_type` of each file; StageError if one is missing."""
    return [_inspect(workspace.artifacts / name, name) for name in names]


def _inspect(path: Path, name: str) -> Dict[str, Any]:
    if path.is_symlink() or not path.is_file():
        raise StageError("ARTIFACT_MISSING", f"The stage named the artifact {ascii(name)} but wrote no such file.")
    digest = hashlib.sha256()
    size = 0
    with path.open("rb") as file:
        for chunk in iter(lambda: file.read(1 << 20), b""):
            digest.update(chunk)
            size += len(chunk)
        os.fsync(file.fileno())
    return {"name": name, "sha256": digest.hexdigest(), "bytes": size, "media_type": media_type_of(name)}


def _flush(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _older_than(paths: Iterable[Path], moment: float) -> Iterable[Path]:
    for path in paths:
        record = path / "record.json"
        try:
            changed = (record if record.exists() else path).lstat().st_mtime
        except OSError:  # another process is removing it
            continue
        if changed < moment:
            yield path


def _remove(path: Path) -> bool:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
    return True
