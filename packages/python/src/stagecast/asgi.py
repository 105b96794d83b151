"""Reads requests and sends answers over ASGI."""
import asyncio
from typing import Any, Awaitable, Callable, Dict, List, Mapping, Optional, Tuple

from . import json_text
from .errors import Refusal

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Dict[str, Any]]]
Send = Callable[[Dict[str, Any]], Awaitable[None]]

MAX_BODY_BYTES = 1024 * 1024
# How much to read of a body that is too large: a client that is cut off while sending may never read the answer.
_DRAIN_BYTES = 8 * MAX_BODY_BYTES


def headers_of(scope: Scope) -> Dict[str, str]:
    """The headers by lower-case name; repeated ones are joined with commas."""
    headers: Dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


def paths_of(scope: Scope) -> List[str]:
    """The paths to match against the routes: the path as it is, and without the prefix of a mounted application.

    Starlette before 0.33 strips the prefix before it calls a mounted application; later versions keep it.
    """
    path, prefix = scope["path"], scope.get("root_path", "").rstrip("/")
    return [path, path[len(prefix):]] if prefix and path.startswith(f"{prefix}/") else [path]


async def read_body(receive: Receive) -> bytes:
    """Raises Refusal 413 above MAX_BODY_BYTES, and ConnectionError if the caller disconnects."""
    body, size, more = bytearray(), 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionError("the caller disconnected")
        size += len(message.get("body", b""))
        if size <= MAX_BODY_BYTES:
            body += message.get("body", b"")
        more = message.get("more_body", False) and size <= _DRAIN_BYTES
    if size > MAX_BODY_BYTES:
        raise Refusal(413, "BODY_TOO_LARGE", "The request body is too large; send 1 MiB at most.")
    return bytes(body)


async def hang_up(receive: Receive) -> None:
    """Returns once the caller has closed the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def unless_gone(work: Awaitable[Any], gone: "asyncio.Future[None]") -> bool:
    """Awaits `work` but cancels it if the caller disconnects. Returns whether it finished."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task})
    if task.cancelled():
        return False
    task.result()
    return True


async def start(send: Send, status: int, headers: Mapping[str, str]) -> None:
    pairs: List[Tuple[bytes, bytes]] = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})


async def send_json(send: Send, status: int, value: Any, headers: Optional[Mapping[str, str]] = None) -> None:
    body = json_text.encode(value).encode()
    about = {"content-type": "application/json", "content-length": str(len(body)), "cache-control": "no-store"}
    await start(send, status, {**about, **(headers or {})})
    await send({"type": "http.response.body", "body": body})


async def send_refusal(send: Send, refusal: Refusal) -> None:
    detail = {"code": refusal.code, "message": refusal.message}
    await send_json(send, refusal.status, {"detail": detail}, refusal.headers)
