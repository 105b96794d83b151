"""A started service in one event loop: its routes and what they need."""
import asyncio
import re
from typing import Any, Dict, List, Mapping, Optional

from .artifacts import delete_job, send_artifact
from .asgi import Receive, Scope, Send, headers_of, paths_of, send_json, send_refusal, start
from .errors import Refusal, StageError, internal_error
from .execute import execute
from .log import logger
from .registry import Registry
from .runs import Runs
from .settings import Settings
from .store import Store
from .threads import in_thread
from .work import Work

_ROUTES = [
    ("health", r"/health", ("GET", "HEAD")),
    ("list", r"/api/workflow/stages", ("GET", "HEAD")),
    ("execute", r"/api/workflow/stages/([^/]+)/execute", ("POST",)),
    ("artifact", r"/api/workflow/jobs/([^/]+)/artifacts/([^/]+)", ("GET", "HEAD")),
    ("job", r"/api/workflow/jobs/([^/]+)", ("DELETE",)),
]
# How often to look for finished jobs that are too old, in s.
_SWEEP_EVERY = 3600.0


class Service:
    def __init__(self, settings: Settings, registry: Registry):
        """Raises OSError if the data folder is unusable."""
        self._settings, self._registry = settings, registry
        self._store = Store(settings.data)
        work = Work(self._store, settings.pace, settings.max_result_bytes, settings.upstream_headers)
        self._runs = Runs(self._store, work)
        self._sweeping: Optional["asyncio.Task[None]"] = asyncio.ensure_future(self._sweep())

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = False

        async def watched_send(message: Dict[str, Any]) -> None:
            nonlocal began
            began = True
            await send(message)

        try:
            await self._route(scope, receive, watched_send)
        except ConnectionError:  # the caller disconnected
            pass
        except (Refusal, StageError) as error:
            if not began:
                status = error.status if isinstance(error, Refusal) else 422
                headers = error.headers if isinstance(error, Refusal) else {}
                await send_refusal(send, Refusal(status, error.code, error.message, headers))
        except Exception:
            logger.exception("a request failed")
            if began:
                raise  # the server then cuts the answer off, so that it does not look complete
            await send_refusal(send, internal_error())

    async def close(self, grace: float) -> None:
        if self._sweeping:
            self._sweeping.cancel()
        await self._runs.close(grace)

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        name, parts = _match(scope)
        headers, method = headers_of(scope), scope["method"]
        if name == "execute":
            await execute(self._registry, self._runs, self._settings.heartbeat, parts[0], headers, receive, send)
        elif name == "artifact":
            await send_artifact(self._store, parts[0], parts[1], method, headers, receive, send)
        elif name == "job":
            await delete_job(self._store, self._runs, parts[0])
            await start(send, 204, {})
            await send({"type": "http.response.body"})
        elif name == "list":
            await send_json(send, 200, list_stages(self._registry))
        else:
            await send_json(send, 200, {"status": "ok", "stages": sorted(self._registry), "running": self._runs.running})

    async def _sweep(self) -> None:
        while True:
            try:
                removed = await in_thread(self._store.sweep, self._settings.keep)
                if removed:
                    logger.info("removed %d old entries from the data folder", removed)
            except OSError as error:
                logger.warning("could not clean up the data folder: %s", error)
            await asyncio.sleep(_SWEEP_EVERY)


def list_stages(registry: Registry) -> List[Mapping[str, Any]]:
    stages = [registry[number] for number in sorted(registry)]
    return [{"stage": each.number, **({"version": each.version} if each.version else {})} for each in stages]


def _match(scope: Scope) -> "tuple[str, tuple[str, ...]]":
    for path in paths_of(scope):
        for name, pattern, methods in _ROUTES:
            match = re.fullmatch(pattern, path)
            if match and scope["method"] in methods:
                return name, match.groups()
            if match:
                headers = {"allow": ", ".join(methods)}
                raise Refusal(405, "METHOD_NOT_ALLOWED", f"Use {' or '.join(methods)} here.", headers)
    raise Refusal(404, "NOT_FOUND", "Unknown route; see the contract of stage services.")
