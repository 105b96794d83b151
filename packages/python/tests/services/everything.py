"""Stages of every kind, and stages with every possible mistake. Tests release waiting stages through named pipes."""
import asyncio
import os
import signal
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, List, Optional

from stagecast import Cancelled, StageError, Stages

FOLDER = Path(os.environ["TEST_FOLDER"])
stages = Stages(data=os.environ["STAGE_DATA_DIR"])


def tell(text):
    """Appends a line to a file that tests read, which records what happened in all processes."""
    with open(FOLDER / "told", "a", encoding="utf-8") as file:
        file.write(text + "\n")


def wait_for(job, name):
    """Waits until the test opens this job's pipe for writing, or until the caller disconnects."""
    path = FOLDER / name
    while not path.exists() and not job.cancelled:
        time.sleep(0.01)


@stages.stage(1, version="1")
def generator(job):
    for n, part in enumerate(["intro", "methods"]):
        yield 50 * n, f"writing {part}"
        job.write(f"{part}.md", f"# {part}: {job.question}")
    return {"sections": 2}


@stages.stage(2)
async def async_generator(job):
    yield 10, "begun"
    await asyncio.sleep(0)
    yield 50
    yield {"from": "the last yield"}


@stages.stage(3)
def function(job):
    job.progress(10, "one")
    job.progress(20)
    return {"thread": threading.current_thread().name, "attempt": job.attempt, "inputs": job.inputs}


@stages.stage(4)
async def async_function(job):
    await job.progress(10, "one")
    job.progress(20, "two")
    await asyncio.gather(job.progress(30, "three"), asyncio.sleep(0))
    return {"stage": job.stage, "run_id": job.run_id}


@stages.stage(5)
def blocks(job):
    """Waits in a thread without the GIL, like real work."""
    job.progress(10, "blocking")
    wait_for(job, f"go-{job.job_id}")
    return {}


@stages.stage(6)
async def blocks_the_loop(job):
    await job.progress(10, "blocking")
    while not (FOLDER / f"go-{job.job_id}").exists():
        time.sleep(0.01)
    return {}


@stages.stage(7)
def steps_until_cancelled(job):
    tell(f"start {job.job_id} {os.getpid()}")
    try:
        n = 0
        while not (FOLDER / f"go-{job.job_id}").exists():
            n += 1
            yield min(99, n / 100), f"step {n}"
            time.sleep(0.005)
    except Cancelled:
        tell(f"cancelled {job.job_id} {job.cancelled}")
        raise
    finally:
        tell(f"end {job.job_id}")
    return {"worked": True}


@stages.stage(8)
async def sleeps_until_cancelled(job):
    yield 1, "sleeping"
    try:
        tell(f"sleeping {job.job_id}")
        await asyncio.sleep(3600)
    except Cancelled:
        tell(f"cancelled {job.job_id} {job.cancelled}")
        raise


@stages.stage(9)
async def looks_at_cancelled(job):
    await job.progress(1, "looking")
    tell(f"looking {job.job_id}")
    while not job.cancelled:
        await asyncio.sleep(0.01)
    tell(f"seen {job.job_id}")


@stages.stage(10)
def killed_after_storing(job):
    job.write("a.txt", "a")
    if not (FOLDER / "killed").exists():
        publish = stages._services[next(iter(stages._services))]._store.publish

        def kill_after(*arguments):
            publish(*arguments)
            (FOLDER / "killed").touch()
            os.kill(os.getpid(), signal.SIGKILL)

        stages._services[next(iter(stages._services))]._store.publish = kill_after
    tell(f"start {job.job_id}")
    return {"n": 1}


@stages.stage(11)
def big(job):
    block = bytes(range(256)) * 4096
    with job.open("big.bin") as file:
        for n in range(100):
            file.write(block)
            yield n, "writing"
    return {"bytes": 100 * len(block)}


@stages.stage(12)
def names(job):
    job.write("Überblick – 概要 🧬.md", "ü")
    job.write("with space & % ? #.txt", b"bytes")
    job.write("empty.txt", "")
    with job.open("table.csv", "w", newline="") as file:
        file.write("a,ü\r\n")
    job.path("by-library.txt").write_text("path")
    job.write("empty.txt", "no more")
    return {}


@stages.stage(13)
def reads_upstream(job):
    with job.upstream[2].open("literature_review.json") as file:
        data = file.read()
    again = job.upstream[2].open("literature_review.json").read()
    assert data == again
    return {"read": data.decode(), "results": job.upstream[2].results, "others": 3 in job.upstream, "stages": list(job.upstream)}


@dataclass
class Population:
    name: str
    minimum_age: int = 0


@dataclass
class Options:
    population: Population
    years: List[int] = field(default_factory=list)
    weight: float = 1.0
    note: Optional[str] = None
    tags: Dict[str, str] = field(default_factory=dict)

    def __post_init__(self):
        if self.weight < 0:
            raise ValueError("weight must be 0 or more")


@stages.stage(14, inputs=Options, version="2", title="With options", needs=[2])
def with_dataclass(job):
    return {"name": job.inputs.population.name, "years": job.inputs.years, "kind": type(job.inputs.weight).__name__}


def parse(inputs):
    if inputs.get("crash"):
        raise KeyError("not a ValueError")
    if "n" not in inputs:
        raise ValueError("n is missing")
    return inputs["n"] * 2


@stages.stage(15, inputs=parse)
def with_function(job):
    return {"n": job.inputs}


try:
    import pydantic
except ImportError:
    pydantic = None
else:

    class Model(pydantic.BaseModel):
        year_from: pydantic.conint(ge=1900)
        sources: List[str] = []

    @stages.stage(16, inputs=Model)
    def with_pydantic(job):
        return {"year_from": job.inputs.year_from}


def deep():
    value = {}
    for _ in range(250):
        value = {"a": value}
    return value


def circle():
    value = {}
    value["self"] = value
    return value


class Surprise(Exception):
    pass


def raises(error):
    raise error


# What a stage returns, and the expected message about it.
MISTAKES = {
    "nan": (lambda job: {"a": [1, float("nan")]}, "STAGE_RESULT_INVALID", "results/a/1 is nan"),
    "infinity": (lambda job: {"a": float("inf")}, "STAGE_RESULT_INVALID", "results/a is inf"),
    "nothing": (lambda job: None, "STAGE_RESULT_INVALID", "returned nothing"),
    "list": (lambda job: [1], "STAGE_RESULT_INVALID", "returned a list"),
    "text": (lambda job: "done", "STAGE_RESULT_INVALID", "returned a str"),
    "deep": (lambda job: deep(), "STAGE_RESULT_INVALID", "more than 200 levels"),
    "circle": (lambda job: circle(), "STAGE_RESULT_INVALID", "more than 200 levels"),
    "surrogate": (lambda job: {"a": "\ud800"}, "STAGE_RESULT_INVALID", "half a surrogate pair"),
    "surrogate key": (lambda job: {"\ud800": 1}, "STAGE_RESULT_INVALID", "half a surrogate pair"),
    "integer key": (lambda job: {2021: 5}, "STAGE_RESULT_INVALID", "keys must be strings"),
    "big integer": (lambda job: {"n": 2**53 + 1}, "STAGE_RESULT_INVALID", "beyond 2^53"),
    "set": (lambda job: {"a": {1}}, "STAGE_RESULT_INVALID", "is a set"),
    "bytes": (lambda job: {"a": b"x"}, "STAGE_RESULT_INVALID", "is a bytes"),
    "large": (lambda job: {"a": "x" * 2_000_000}, "STAGE_RESULT_TOO_LARGE", "job.write"),
    "exception": (lambda job: raises(Surprise(" ".join(["secret", "question"]))), "STAGE_CRASHED", "Surprise"),
    "exit": (lambda job: sys.exit(3), "STAGE_CRASHED", "SystemExit"),
    "interrupt": (lambda job: raises(KeyboardInterrupt()), "STAGE_CRASHED", "KeyboardInterrupt"),
    "stop iteration": (lambda job: next(iter([])), "STAGE_CRASHED", "raised "),
    "cancelled without cause": (lambda job: raises(Cancelled()), "STAGE_CRASHED", "Cancelled"),
    "slash": (lambda job: job.write("a/b.txt", ""), "ARTIFACT_NAME_INVALID", "bare file name"),
    "dots": (lambda job: job.write("..", ""), "ARTIFACT_NAME_INVALID", "bare file name"),
    "line feed": (lambda job: job.write("a\nb", ""), "ARTIFACT_NAME_INVALID", "bare file name"),
    "no name": (lambda job: job.write("", ""), "ARTIFACT_NAME_INVALID", "bare file name"),
    "number name": (lambda job: job.write(7, ""), "ARTIFACT_NAME_INVALID", "bare file name"),
    "long name": (lambda job: job.write("ü" * 200, ""), "ARTIFACT_NAME_INVALID", "255 bytes"),
    "surrogate name": (lambda job: job.write("\ud800", ""), "ARTIFACT_NAME_INVALID", "not valid Unicode"),
    "surrogate text": (lambda job: job.write("a", "\ud800"), "ARTIFACT_INVALID", "half a surrogate pair"),
    "dict data": (lambda job: job.write("a", {}), "ARTIFACT_INVALID", "text or bytes"),
    "read mode": (lambda job: job.open("a", "r").__enter__(), "ARTIFACT_INVALID", "mode"),
    "path without file": (lambda job: bool(job.path("a.txt")) and {}, "ARTIFACT_MISSING", "wrote no such file"),
    "over 100": (lambda job: job.progress(101), "STAGE_PROGRESS_INVALID", "from 0 to 100, got 101"),
    "below 0": (lambda job: job.progress(-1), "STAGE_PROGRESS_INVALID", "got -1"),
    "nan progress": (lambda job: job.progress(float("nan")), "STAGE_PROGRESS_INVALID", "got nan"),
    "text progress": (lambda job: job.progress("10"), "STAGE_PROGRESS_INVALID", "got '10'"),
    "true progress": (lambda job: job.progress(True), "STAGE_PROGRESS_INVALID", "got True"),
    "number message": (lambda job: job.progress(1, 2), "STAGE_PROGRESS_INVALID", "must be a string"),
    "own error": (lambda job: raises(StageError("TOO_VAGUE", "Name a population.")), "TOO_VAGUE", "Name a population."),
    "no upstream": (lambda job: job.upstream[9], "UPSTREAM_MISSING", "needs or uses"),
}


@stages.stage(20)
def mistakes(job):
    return MISTAKES[job.inputs["mistake"]][0](job)


@stages.stage(21)
async def async_mistakes(job):
    await asyncio.sleep(0)
    return MISTAKES[job.inputs["mistake"]][0](job)


YIELDS = {
    "over 100": ([150], "STAGE_PROGRESS_INVALID", "from 0 to 100, got 150"),
    "a text": (["half"], "STAGE_PROGRESS_INVALID", "Yield a percentage"),
    "a triple": ([(1, "a", "b")], "STAGE_PROGRESS_INVALID", "Yield a percentage"),
    "after the result": ([{}, 50], "STAGE_PROGRESS_INVALID", "must be the last yield"),
    "nothing at all": ([50], "STAGE_RESULT_INVALID", "returned nothing"),
}


@stages.stage(22)
def bad_yields(job):
    yield from YIELDS[job.inputs["mistake"]][0]


@stages.stage(23)
async def async_bad_yields(job):
    for item in YIELDS[job.inputs["mistake"]][0]:
        yield item


@stages.stage(24)
def swallows_what_is_wrong(job):
    try:
        yield 150
    except StageError:
        pass
    return {"as": "if nothing had happened"}


@stages.stage(25)
def half_written(job):
    try:
        with job.open("half.txt", "w") as file:
            file.write("half")
            raise OSError("disk")
    except OSError:
        pass
    job.write("whole.txt", "whole")
    return {}


@stages.stage(26)
def retryable(job):
    raise StageError("BUSY", "The database is down.", retryable=True)


@stages.stage(27)
def ignores_cancelling(job):
    """Never checks for cancellation and makes no step, so nothing can stop it."""
    job.progress(10, "stubborn")
    tell(f"start {job.job_id}")
    while not (FOLDER / f"go-{job.job_id}").exists():
        time.sleep(0.01)
    tell(f"end {job.job_id}")
    return {}


@stages.stage(28)
def many_steps(job):
    for n in range(200_000):
        yield n / 2000, "x" * 100
    return {}


@stages.stage(29)
async def fails_once(job):
    if job.attempt == 1:
        raise StageError("FIRST", "The first attempt fails.", retryable=True)
    return {"attempt": job.attempt}
