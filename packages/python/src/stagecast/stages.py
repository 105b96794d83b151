"""The application: stages register on it, and an ASGI server calls it."""
import asyncio
import os
from typing import Any, Callable, Dict, Mapping, Optional, TypeVar, Union

from .asgi import Receive, Scope, Send, send_refusal
from .errors import internal_error
from .log import logger
from .registry import Registry, Stage, slug_of, title_of
from .service import Service
from .settings import UNSET, read_settings

Function = TypeVar("Function", bound=Callable[..., Any])


class Stages:
    """An ASGI application that serves stages: `uvicorn service:stages`, or `app.mount("/stages", stages)`.

    data: folder for results and files; created if missing. Several processes on one machine may share it.
    heartbeat: seconds of silence before a streamed answer gets a heartbeat (else STAGE_HEARTBEAT_MS; 10 s).
    keep: seconds to keep finished jobs, None for forever (else STAGE_KEEP_SECONDS; 7 days).
    grace: seconds that running jobs get when the service closes (else SHUTDOWN_GRACE_MS; 5 s).
    pace: minimum seconds between two steps, so that people can watch a quick stage (else STAGE_PACE_MS; 0).
    max_result_bytes: largest answer. Keep it equal to the workers' limit (else STAGE_MAX_RESULT_BYTES; 1 MiB).
    upstream_headers: headers for fetching upstream files, by origin:
        {"https://stages.example": {"authorization": "Bearer …"}}.

    It starts with its first request or with the server's lifespan, whichever comes first.
    """

    def __init__(
        self,
        data: Union[str, "os.PathLike[str]"],
        *,
        heartbeat: Optional[float] = None,
        keep: Optional[float] = UNSET,
        grace: Optional[float] = None,
        pace: Optional[float] = None,
        max_result_bytes: Optional[int] = None,
        upstream_headers: Optional[Mapping[str, Mapping[str, str]]] = None,
    ):
        self._settings = read_settings(data, heartbeat, keep, grace, pace, max_result_bytes, upstream_headers)
        self.registry = Registry()
        self._services: Dict[asyncio.AbstractEventLoop, Service] = {}

    def stage(
        self,
        number: int,
        *,
        version: Optional[str] = None,
        inputs: Optional[Callable[..., Any]] = None,
        slug: Optional[str] = None,
        title: Optional[str] = None,
        **catalogue: Any,
    ) -> Callable[[Function], Function]:
        """Registers the decorated function as stage `number` (1 to 999).

        version: change it whenever results change; a workflow then runs the stage again.
        inputs: a dataclass, a Pydantic model, or a function that takes the dict of inputs, returns what the stage
            gets as `job.inputs`, and raises ValueError for bad inputs.
        slug, title, and more (needs, uses, description, …): for `python -m stagecast describe`.
        """

        def register(function: Function) -> Function:
            entry = {"slug": slug or slug_of(function), "title": title or title_of(function), **catalogue}
            self.registry.register(Stage(number, function, version, inputs, entry))
            return function

        return register

    async def close(self, grace: Optional[float] = None) -> None:
        """Starts no more jobs. Running ones get `grace` seconds, then are stopped with a retryable error.

        The server's lifespan calls this; call it yourself from a server that announces its shutdown in another way.
        """
        service = self._services.get(asyncio.get_running_loop())
        if service:
            await service.close(self._settings.grace if grace is None else grace)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            service = self._service()
            if service:
                await service.handle(scope, receive, send)
            else:
                await send_refusal(send, internal_error())
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1000})

    def _service(self) -> Optional[Service]:
        """The service of this event loop, started if necessary. None, after a log line, if it cannot start."""
        loop = asyncio.get_running_loop()
        if loop not in self._services:
            for other in [each for each in self._services if each.is_closed()]:
                del self._services[other]
            try:
                self._services[loop] = Service(self._settings, self.registry)
            except OSError as error:
                logger.error("the data folder %s cannot be used: %s", self._settings.data, error)
                return None
        return self._services[loop]

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        if not self._service():
            message = f"the data folder {self._settings.data} cannot be used"
            await send({"type": "lifespan.startup.failed", "message": message})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.close()
        await send({"type": "lifespan.shutdown.complete"})

