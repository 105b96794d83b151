"""GET and HEAD /api/workflow/jobs/{job_id}/artifacts/{name}, and DELETE /api/workflow/jobs/{job_id}."""
import asyncio
import os
import stat
from typing import Any, Dict, Mapping

from .asgi import Receive, Send, hang_up, start, unless_gone
from .errors import Refusal
from .ranges import parse_range
from .request import job_id_of
from .runs import Runs
from .store import Store
from .threads import in_thread

_CHUNK = 1 << 18


async def send_artifact(
    store: Store, job: str, name: str, method: str, headers: Mapping[str, str], receive: Receive, send: Send
) -> None:
    """Streams the file or the requested range, one chunk at a time."""
    file, fd = await in_thread(_open, store, job, name)
    try:
        etag = f'"{file["sha256"]}"'
        about = {"etag": etag, "accept-ranges": "bytes", "cache-control": "private, no-cache"}
        about["x-content-type-options"] = "nosniff"
        if _names_tag(headers.get("if-none-match", ""), etag):
            await start(send, 304, about)
            await send({"type": "http.response.body"})
            return
        asked = headers.get("range") if method == "GET" and headers.get("if-range", etag) == etag else None
        wanted = parse_range(asked, file["bytes"])
        first, last = wanted or (0, file["bytes"] - 1)
        if wanted:
            about["content-range"] = f"bytes {first}-{last}/{file['bytes']}"
        about.update({"content-type": file["media_type"], "content-length": str(last - first + 1)})
        await start(send, 206 if wanted else 200, about)
        if method == "HEAD":
            await send({"type": "http.response.body"})
            return
        gone = asyncio.ensure_future(hang_up(receive))
        try:
            await unless_gone(_send_bytes(fd, first, last, send), gone)
        finally:
            gone.cancel()
    finally:
        os.close(fd)


async def delete_job(store: Store, runs: Runs, job: str) -> None:
    """Removes a finished job and its files. Refuses with 404 if there is none and with 409 while the job runs."""
    job_id = job_id_of(job)
    lock = store.try_lock(job_id) if job_id and not runs.is_running(job_id) else None
    if job_id and not lock:
        raise Refusal(409, "JOB_RUNNING", "The job is still running; cancel it first.")
    try:
        if not job_id or not await in_thread(store.discard, job_id):
            raise Refusal(404, "JOB_NOT_FOUND", "No finished job has this id.")
    finally:
        if lock:
            lock.release()


async def _send_bytes(fd: int, first: int, last: int, send: Send) -> None:
    position = first
    while position <= last:
        chunk = await in_thread(os.pread, fd, min(_CHUNK, last + 1 - position), position)
        if not chunk:
            raise OSError("an artifact got shorter while it was being read")
        position += len(chunk)
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body"})


def _open(store: Store, job: str, name: str) -> "tuple[Dict[str, Any], int]":
    """Only names in the job's record are served, so no path, however spelled, leads anywhere else."""
    missing = Refusal(404, "ARTIFACT_NOT_FOUND", "The job has no such artifact; see `artifacts` in the result.")
    job_id = job_id_of(job)
    record = store.read(job_id) if job_id else None
    file = next((each for each in record["files"] if each["name"] == name), None) if record else None
    if not job_id or not file:
        raise missing
    try:
        fd = os.open(store.artifact_path(job_id, name), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        raise missing from None
    found = os.fstat(fd)
    if not stat.S_ISREG(found.st_mode) or found.st_size != file["bytes"]:
        os.close(fd)
        raise missing
    return file, fd


def _names_tag(header: str, etag: str) -> bool:
    return any(tag.strip() in (etag, f"W/{etag}", "*") for tag in header.split(","))
