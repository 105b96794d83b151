"""Runs a stage function of any kind: plain or asynchronous, function or generator."""
import inspect
from typing import Any, AsyncGenerator, Awaitable, Callable, Generator

from .job import Job
from .work_loop import WorkLoop


def drive(function: Callable[[Job], Any], job: Job, work_loop: WorkLoop) -> Any:
    """Returns what the stage returns. Called in the job's own thread; raises what the stage raises."""
    value = function(job)
    if inspect.isgenerator(value):
        return _walk(value, job)
    if inspect.isasyncgen(value):
        return work_loop.result_of(_walk_async(value, job), job._run)
    if inspect.isawaitable(value):
        return work_loop.result_of(_wait(value), job._run)
    return value


async def _wait(value: Awaitable[Any]) -> Any:
    return await value


def _walk(generator: Generator[Any, Any, Any], job: Job) -> Any:
    """Each yield is a step. A bad step raises at that yield, so that the traceback names its line."""
    result = None
    try:
        while True:
            try:
                item = next(generator)
            except StopIteration as stop:
                return result if stop.value is None else stop.value
            try:
                result = job._step(item, result)
                job._pace()
            except BaseException as error:
                _raise_at_yield(generator, error)
    finally:
        generator.close()


def _raise_at_yield(generator: Generator[Any, Any, Any], error: BaseException) -> None:
    try:
        generator.throw(error)
    except StopIteration:
        pass
    raise error  # the stage caught it, but the step is still wrong


async def _walk_async(generator: AsyncGenerator[Any, Any], job: Job) -> Any:
    result = None
    try:
        while True:
            try:
                item = await generator.__anext__()
            except StopAsyncIteration:
                return result
            try:
                result = job._step(item, result)
                await job._pace_async()
            except BaseException as error:
                await _raise_at_yield_async(generator, error)
    finally:
        await generator.aclose()


async def _raise_at_yield_async(generator: AsyncGenerator[Any, Any], error: BaseException) -> None:
    try:
        await generator.athrow(error)
    except StopAsyncIteration:
        pass
    raise error
