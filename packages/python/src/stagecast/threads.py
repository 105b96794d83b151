"""Runs blocking calls (files, input checks) outside the event loop, in threads that stages cannot use up."""
import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, TypeVar

T = TypeVar("T")

_pool = ThreadPoolExecutor(max_workers=8, thread_name_prefix="stagecast")


async def in_thread(function: Callable[..., T], *arguments: Any) -> T:
    return await asyncio.get_running_loop().run_in_executor(_pool, function, *arguments)
