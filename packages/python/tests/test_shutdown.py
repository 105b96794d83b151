"""Shutdown: running calls may finish, none start. And what a service does when it starts."""
import asyncio
import http.client
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from client import Call, http_call, last, request
from server import HERE
from stagecast import Stages


@pytest.mark.parametrize("kind", ["uvicorn", "gunicorn"])
def test_running_calls_finish_and_none_begin(serve, told, tmp_path, kind):
    server, asked, told = serve(kind), request(), told(tmp_path)
    idle = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    idle.request("GET", "/health")
    idle.getresponse().read()
    call = Call(server.port, 7, asked).begin()
    told.wait("start")
    server.terminate()
    server.listener.close()
    for _ in range(20):
        call.until(type="progress")
    # The server closes idle connections at shutdown, so no other call can use this one.
    assert idle.sock.recv(1) == b""
    call.until(type="progress")
    (tmp_path / f"go-{asked['job_id']}").touch()
    assert call.rest()[-1]["results"] == {"worked": True}
    assert server.process.wait(30) in (0, -signal.SIGTERM)
    assert len(told.lines("start")) == 1


def test_work_that_does_not_end_is_stopped_after_the_grace(tmp_path):
    """A server that announces its shutdown, as hypercorn does, and newer uvicorns with a time-out."""
    env = {**os.environ, "TEST_FOLDER": str(tmp_path), "STAGE_DATA_DIR": str(tmp_path / "data"), "SHUTDOWN_GRACE_MS": "50", "PORT": "0"}
    command = [sys.executable, "-B", str(HERE / "serve.py"), str(HERE / "services"), "everything:stages"]
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE)
    port = int(json.loads(process.stdout.readline())["msg"].rsplit(":", 1)[1])
    for stage in (8, 27):
        call = Call(port, stage, request()).begin()
        call.until(type="progress")
        if stage == 27:
            process.terminate()
            stubborn = call
        else:
            waiting = call
    for each in (waiting, stubborn):
        assert each.rest()[-1] == {"type": "error", "code": "SHUTTING_DOWN", "retryable": True,
                                   "message": "The stage service is shutting down; try again in a moment."}
    assert process.wait(30) in (0, -signal.SIGTERM)
    process.stdout.close()


class Asgi:
    """An ASGI server in the test's process, for tests that a real server does not allow."""

    def __init__(self, application):
        self.application = application

    async def call(self, method, path, body=b"", headers=()):
        sent, got = [], asyncio.Queue()
        await got.put({"type": "http.request", "body": body, "more_body": False})

        async def send(message):
            sent.append(message)

        scope = {"type": "http", "method": method, "path": path, "root_path": "", "headers": list(headers)}
        await self.application(scope, got.get, send)
        return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


def test_a_closed_service_begins_nothing_but_repeats(tmp_path):
    stages = Stages(data=tmp_path)

    @stages.stage(1)
    def one(job):
        return {}

    async def story():
        asgi, headers = Asgi(stages), [(b"content-type", b"application/json")]
        known, late = request(), request()
        path = "/api/workflow/stages/1/execute"
        first = await asgi.call("POST", path, json.dumps(known).encode(), headers)
        assert first[0] == 200
        await stages.close()
        status, body = await asgi.call("POST", path, json.dumps(late).encode(), headers)
        assert status == 503 and json.loads(body)["detail"]["code"] == "SHUTTING_DOWN"
        assert (await asgi.call("GET", "/health"))[0] == 200

    asyncio.run(story())
    asyncio.run(story_in_another_loop(stages))


async def story_in_another_loop(stages):
    """The same application in a second event loop, because test clients create one per test."""
    body = json.dumps(request()).encode()
    status, _ = await Asgi(stages).call("POST", "/api/workflow/stages/1/execute", body, [(b"content-type", b"application/json")])
    assert status == 200


def test_lifespan(tmp_path):
    async def story(data):
        sent, got = [], asyncio.Queue()
        await got.put({"type": "lifespan.startup"})
        await got.put({"type": "lifespan.shutdown"})

        async def send(message):
            sent.append(message)

        await Stages(data=data)({"type": "lifespan"}, got.get, send)
        return sent

    assert [each["type"] for each in asyncio.run(story(tmp_path / "a"))] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    (tmp_path / "file").write_text("")
    failed = asyncio.run(story(tmp_path / "file" / "x"))
    assert failed[0]["type"] == "lifespan.startup.failed" and "cannot be used" in failed[0]["message"]


def test_a_server_that_gives_up_waiting_tells_the_caller(tmp_path):
    """uvicorn's --timeout-graceful-shutdown cancels running calls; their last line says that a retry may help."""
    stages = Stages(data=tmp_path, heartbeat=0.02)

    @stages.stage(1)
    async def one(job):
        await asyncio.sleep(3600)

    async def story():
        sent, got, begun = [], asyncio.Queue(), asyncio.Event()
        await got.put({"type": "http.request", "body": json.dumps(request()).encode()})

        async def send(message):
            sent.append(message)
            if b"heartbeat" in message.get("body", b""):
                begun.set()

        headers = [(b"content-type", b"application/json"), (b"accept", b"application/x-ndjson")]
        scope = {"type": "http", "method": "POST", "path": "/api/workflow/stages/1/execute", "headers": headers}
        task = asyncio.ensure_future(stages(scope, got.get, send))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        line = json.loads(sent[-2]["body"])
        assert line["code"] == "SHUTTING_DOWN" and line["retryable"] is True

    asyncio.run(story())


def test_old_jobs_are_removed(serve, tmp_path):
    server, old, new = serve(), request(), request()
    last(server.port, 1, old)
    last(server.port, 1, new)
    server.kill()
    record = tmp_path / "data" / "jobs" / old["job_id"] / "record.json"
    hour_ago = time.time() - 3700
    os.utime(record, (hour_ago, hour_ago))
    server.env["STAGE_KEEP_SECONDS"] = "3600"
    server.start()
    where = f"/api/workflow/jobs/{{}}/artifacts/intro.md"
    for _ in range(500):  # the sweep runs beside the first requests
        if http_call(server.port, "GET", where.format(old["job_id"]))[0] == 404:
            break
    assert http_call(server.port, "GET", where.format(old["job_id"]))[0] == 404
    assert http_call(server.port, "GET", where.format(new["job_id"]))[0] == 200


@pytest.mark.parametrize("options, words", [
    ({"data": ""}, "data"), ({"data": None}, "data"), ({"heartbeat": 0}, "heartbeat"), ({"heartbeat": "10"}, "heartbeat"),
    ({"keep": -1}, "keep"), ({"pace": True}, "pace"), ({"max_result_bytes": 1}, "max_result_bytes"), ({"grace": -1}, "grace"),
])
def test_bad_settings(options, words):
    with pytest.raises((TypeError, ValueError)) as caught:
        Stages(**{"data": "data", **options})
    assert words in str(caught.value)


def test_bad_environment(monkeypatch):
    monkeypatch.setenv("STAGE_HEARTBEAT_MS", "ten")
    with pytest.raises(ValueError) as caught:
        Stages(data="data")
    assert "STAGE_HEARTBEAT_MS must be a whole number from 10 to 3600000, got 'ten'" in str(caught.value)


def test_bad_registrations():
    stages = Stages(data="data")
    for number, options, function, words in [
        (0, {}, lambda job: {}, "from 1 to 999"), (1000, {}, lambda job: {}, "from 1 to 999"), ("1", {}, lambda job: {}, "from 1 to 999"),
        (True, {}, lambda job: {}, "from 1 to 999"), (1, {"version": 3}, lambda job: {}, "must be a string"),
        (1, {"inputs": {}}, lambda job: {}, "dataclass"), (1, {}, lambda: {}, "one argument"), (1, {}, lambda job, more: {}, "one argument"),
        (1, {}, 7, "not a function"),
    ]:
        with pytest.raises((TypeError, ValueError)) as caught:
            stages.stage(number, **options)(function)
        assert words in str(caught.value)
    stages.stage(1)(lambda job: {})
    with pytest.raises(ValueError) as caught:
        stages.stage(1)(lambda job: {})
    assert "registered twice" in str(caught.value)
