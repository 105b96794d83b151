"""POST /api/workflow/stages/{stage}/execute: answers with lines as the work proceeds, or with one JSON object."""
import asyncio
import re
from typing import Mapping

from . import json_text
from .asgi import Receive, Send, hang_up, read_body, send_json, send_refusal, start, unless_gone
from .errors import Refusal, StageError
from .registry import Registry
from .request import read_asked
from .run import Line, Run, pause
from .runs import Runs
from .work import error_line

_HEARTBEAT: Line = {"type": "heartbeat"}


async def execute(
    registry: Registry, runs: Runs, heartbeat: float, text: str, headers: Mapping[str, str], receive: Receive, send: Send
) -> None:
    """Raises Refusal for an invalid request; `text` is the stage as written in the path."""
    if not re.fullmatch(r"[1-9][0-9]{0,3}", text) or int(text) not in registry:
        there = ", ".join(map(str, sorted(registry))) or "none"
        raise Refusal(404, "STAGE_NOT_FOUND", f"This service has no stage {ascii(text[:20])[1:-1]}; it has: {there}.")
    stage = registry[int(text)]
    asked = read_asked(stage.number, await read_body(receive), headers)
    run, seen = runs.call(stage, asked)
    gone = asyncio.ensure_future(hang_up(receive))
    try:
        if not await unless_gone(asyncio.shield(run.opened), gone):
            return
        if _wants_lines(headers.get("accept", "")):
            await unless_gone(_send_lines(run, seen, heartbeat, send), gone)
        else:
            await unless_gone(_send_answer(run, send), gone)
    finally:
        gone.cancel()
        runs.leave(run)


async def _send_answer(run: Run, send: Send) -> None:
    try:
        await send_json(send, 200, await asyncio.shield(run.end))
    except StageError as error:
        status = 503 if error.retryable else 422
        await send_refusal(send, Refusal(status, error.code, error.message))


async def _send_lines(run: Run, seen: int, heartbeat: float, send: Send) -> None:
    """Sends each line from number `seen` on, heartbeats during silence, then the end. A slow reader skips old lines."""
    headers = {"content-type": "application/x-ndjson", "cache-control": "no-store", "x-accel-buffering": "no"}
    await start(send, 200, headers)
    try:
        while True:
            news = run.news()
            ended = run.end.done()
            seen, lines = run.after(seen)
            if lines:
                await _send(send, lines)
            elif ended:
                break
            elif not await pause(news, heartbeat):
                await _send(send, [_HEARTBEAT])
        await _send(send, [_last_line(run)])
        await send({"type": "http.response.body"})
    except asyncio.CancelledError:
        # The server stops waiting for us, so ask the remaining callers to retry.
        if not run.end.done():
            error = Refusal(503, "SHUTTING_DOWN", "The stage service is shutting down; try again in a moment.")
            await _send(send, [error_line(error)])
            await send({"type": "http.response.body"})
        raise


async def _send(send: Send, lines: "list[Line]") -> None:
    text = "".join(json_text.encode(line) + "\n" for line in lines)
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})


def _last_line(run: Run) -> Line:
    error = run.end.exception()
    return error_line(error) if isinstance(error, Exception) else {"type": "result", **run.end.result()}


def _wants_lines(accept: str) -> bool:
    """Whether the client names NDJSON. A client that accepts any type (`*/*`) gets one JSON answer."""
    for each in accept.split(","):
        kind, *parameters = [part.strip().lower() for part in each.split(";")]
        if kind == "application/x-ndjson" and not any(re.fullmatch(r"q=0(\.0*)?", part) for part in parameters):
            return True
    return False
