"""What earlier stages made: their results, and their files, fetched over HTTP."""
import hashlib
import http.client
import os
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import IO, Any, Callable, Dict, Iterator, List, Mapping, Optional

from .errors import StageError

# Longest wait for more bytes of a file, in seconds.
TIMEOUT = 60.0
_CHUNK = 1 << 18

Headers = Mapping[str, Mapping[str, str]]


class _Missing(StageError, KeyError):
    """Also a KeyError, so that `.get` and `in` work as for any mapping."""


class Upstream(Mapping[int, "UpstreamStage"]):
    """The earlier stages by number; those that have not run are missing."""

    def __init__(self, sent: Mapping[str, Any], folder: Path, check: Callable[[], None], headers: Headers):
        stages = {int(stage): each for stage, each in sent.items() if stage.isdigit() and isinstance(each, dict)}
        self._stages = {stage: UpstreamStage(stage, each, folder, check, headers) for stage, each in stages.items()}

    def __getitem__(self, stage: int) -> "UpstreamStage":
        try:
            return self._stages[int(stage)]
        except (KeyError, ValueError, TypeError):
            there = ", ".join(map(str, self._stages)) or "none"
            message = f"Stage {stage} is not upstream of this job (upstream: {there}); name it under needs or uses in the catalogue."
            raise _Missing("UPSTREAM_MISSING", message) from None

    def __iter__(self) -> Iterator[int]:
        return iter(self._stages)

    def __len__(self) -> int:
        return len(self._stages)


class UpstreamStage:
    """One finished stage: `stage`, `job_id`, `results` (a dict), `files` (dicts with name, sha256, bytes, media_type)."""

    def __init__(self, stage: int, sent: Mapping[str, Any], folder: Path, check: Callable[[], None], headers: Headers):
        self.stage = stage
        self.job_id: Optional[str] = sent.get("job_id")
        self.results: Dict[str, Any] = sent.get("results") or {}
        self.files: List[Dict[str, Any]] = [dict(file) for file in sent.get("files") or []]
        self._folder, self._check, self._headers = folder, check, headers

    def open(self, name: str) -> IO[bytes]:
        """Opens the file in binary mode at its beginning. It is fetched once, and its hash is checked first.

        Raises StageError: UPSTREAM_FILE_MISSING, UPSTREAM_UNREACHABLE (retryable) or UPSTREAM_CHANGED.
        """
        file = next((each for each in self.files if each.get("name") == name), None)
        if file is None:
            there = ", ".join(str(each.get("name")) for each in self.files) or "none"
            raise _Missing("UPSTREAM_FILE_MISSING", f"Stage {self.stage} has no file {ascii(name)}; it has: {there}.")
        kept = self._folder / hashlib.sha256(f"{self.stage}/{name}".encode()).hexdigest()
        if not kept.exists():
            self._fetch(file, kept)
        return kept.open("rb")

    def _fetch(self, file: Dict[str, Any], kept: Path) -> None:
        fd, part = tempfile.mkstemp(dir=self._folder)
        try:
            with os.fdopen(fd, "wb") as target:
                self._copy(file, target)
            os.replace(part, kept)
        except BaseException:
            os.unlink(part)
            raise

    def _copy(self, file: Dict[str, Any], target: IO[bytes]) -> None:
        digest, size = hashlib.sha256(), 0
        try:
            with _get(str(file.get("url")), self._headers) as answer:
                for chunk in iter(lambda: answer.read(_CHUNK), b""):
                    self._check()
                    digest.update(chunk)
                    size += len(chunk)
                    target.write(chunk)
                if answer.length:  # read(n) does not report a truncated body
                    raise ConnectionError("cut off")
        except (OSError, http.client.HTTPException) as error:
            raise self._failure(file, error) from None
        if file.get("bytes") not in (None, size):
            message = f"{self._named(file)} has {size} bytes instead of {file['bytes']}."
            raise StageError("UPSTREAM_CHANGED", message, retryable=True)
        if file.get("sha256") not in (None, digest.hexdigest()):
            message = f"{self._named(file)} has changed since the stage finished: its SHA-256 differs."
            raise StageError("UPSTREAM_CHANGED", message, retryable=True)

    def _failure(self, file: Dict[str, Any], error: Exception) -> StageError:
        status = error.code if isinstance(error, urllib.error.HTTPError) else None
        if status is not None and 400 <= status < 500 and status not in (408, 425, 429):
            return StageError("UPSTREAM_FILE_MISSING", f"{self._named(file)} cannot be fetched: status {status}.")
        why = f"status {status}" if status else type(getattr(error, "reason", error)).__name__
        return StageError("UPSTREAM_UNREACHABLE", f"{self._named(file)} cannot be fetched now: {why}.", retryable=True)

    def _named(self, file: Dict[str, Any]) -> str:
        return f"The file {ascii(file.get('name'))} of stage {self.stage}"


def _get(url: str, headers: Headers) -> Any:
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("http", "https"):  # urllib would also open file: URLs
        raise StageError("UPSTREAM_FILE_MISSING", "The address of an upstream file must begin with http:// or https://.")
    request = urllib.request.Request(url)
    for name, value in headers.get(f"{parts.scheme}://{parts.netloc}", {}).items():
        request.add_unredirected_header(name, value)
    return urllib.request.urlopen(request, timeout=TIMEOUT)
