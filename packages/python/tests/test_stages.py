"""Stages of every kind, on every server."""
import json

import pytest
from client import LINES, Call, execute_json, http_call, last, request, stream


def progress(lines):
    return [(line["percent"], line.get("message")) for line in lines if line["type"] == "progress"]


def test_generator(any_server):
    asked = request(research_question="Does sleep help?")
    call = Call(any_server.port, 1, asked, prefix=any_server.prefix).begin()
    assert call.status == 200
    assert call.response.getheader("content-type") == "application/x-ndjson"
    lines = call.rest()
    steps = [(0, "stage 1 started"), (0, "writing intro"), (50, "writing methods"), (100, "result stored")]
    assert progress(lines) == steps
    result = lines[-1]
    assert result["type"] == "result" and result["success"] is True
    assert result["stage"] == 1 and result["job_id"] == asked["job_id"] and result["workflow_id"] == asked["workflow_id"]
    assert result["artifacts"] == ["intro.md", "methods.md"] and result["results"] == {"sections": 2}
    assert isinstance(result["duration_ms"], int) and result["duration_ms"] >= 0
    path = f"{any_server.prefix}/api/workflow/jobs/{asked['job_id']}/artifacts/intro.md"
    status, headers, body = http_call(any_server.port, "GET", path)
    assert (status, body) == (200, b"# intro: Does sleep help?")
    assert headers.get("x-host") == ("yes" if any_server.kind == "fastapi" else None)


@pytest.mark.parametrize("stage, results", [
    (2, {"from": "the last yield"}),
    (4, {"stage": 4, "run_id": None}),
])
def test_asynchronous_stages(any_server, stage, results):
    lines = stream(any_server.port, stage, prefix=any_server.prefix)
    assert lines[-1]["results"] == results
    percents = [percent for percent, _ in progress(lines)]
    assert percents == sorted(percents) and percents[0] == 0 and percents[-1] == 100 and 10 in percents


def test_plain_function(any_server):
    asked = request(inputs={"a": [1, None, "ü"]})
    results = last(any_server.port, 3, asked, prefix=any_server.prefix, headers={"X-Attempt": "3"})["results"]
    assert results == {"thread": f"stage-3-{asked['job_id'][:8]}", "attempt": 3, "inputs": {"a": [1, None, "ü"]}}


@pytest.mark.parametrize("stage", [5, 6], ids=["a blocking thread", "an async stage that blocks its loop"])
def test_heartbeats_while_a_step_blocks(any_server, stage):
    asked = request()
    call = Call(any_server.port, stage, asked, prefix=any_server.prefix).begin()
    for _ in range(3):
        call.until(type="heartbeat")
    # Meanwhile the service does everything else, other asynchronous jobs excepted.
    assert http_call(any_server.port, "GET", f"{any_server.prefix}/health")[0] == 200
    assert last(any_server.port, 1, prefix=any_server.prefix)["success"] is True
    (any_server.folder / f"go-{asked['job_id']}").touch()
    assert call.rest()[-1]["success"] is True


def test_listing_and_health(any_server):
    status, _, body = http_call(any_server.port, "GET", f"{any_server.prefix}/api/workflow/stages")
    listed = json.loads(body)
    assert status == 200 and {"stage": 1, "version": "1"} in listed and {"stage": 2} in listed
    status, _, body = http_call(any_server.port, "GET", f"{any_server.prefix}/health")
    assert status == 200 and json.loads(body)["status"] == "ok"


def test_json_form(one_server):
    asked = request()
    status, answer = execute_json(one_server.port, 1, asked)
    assert status == 200 and answer["success"] is True and "type" not in answer
    assert execute_json(one_server.port, 1, asked) == (200, answer)
    assert last(one_server.port, 1, asked) == {"type": "result", **answer}
    assert execute_json(one_server.port, 26)[0] == 503
    assert execute_json(one_server.port, 20, request(inputs={"mistake": "own error"})) == (
        422, {"detail": {"code": "TOO_VAGUE", "message": "Name a population."}})


@pytest.mark.parametrize("accept, lines", [
    (LINES, True), ("application/x-ndjson", True), ("Application/X-NDJSON;q=0.5", True), ("*/*", False),
    ("application/x-ndjson;q=0, application/json", False), ("", False),
])
def test_accept(one_server, accept, lines):
    call = Call(one_server.port, 1, request(), accept=accept).begin()
    kind = "application/x-ndjson" if lines else "application/json"
    assert call.response.getheader("content-type") == kind
    call.rest()


def test_error_line(one_server):
    assert last(one_server.port, 26) == {
        "type": "error", "code": "BUSY", "message": "The database is down.", "retryable": True}


def test_a_failed_attempt_is_not_replayed(one_server):
    asked = request()
    assert last(one_server.port, 29, asked)["code"] == "FIRST"
    assert last(one_server.port, 29, asked, headers={"X-Attempt": "2"})["results"] == {"attempt": 2}


def test_many_steps_reach_a_reader_in_order(one_server):
    percents = [percent for percent, _ in progress(stream(one_server.port, 28))]
    assert percents == sorted(percents) and percents[-1] == 100 and len(percents) > 10


def test_other_methods_and_routes(one_server):
    for method, path, status in [
        ("GET", "/nowhere", 404), ("GET", "/", 404), ("GET", "/api/workflow/stages/1/execute", 405),
        ("POST", "/api/workflow/stages", 405), ("PUT", "/health", 405), ("GET", "/api/workflow/stages/", 404),
    ]:
        answer = http_call(one_server.port, method, path)
        assert answer[0] == status, path
        assert set(json.loads(answer[2])["detail"]) == {"code", "message"}
    assert http_call(one_server.port, "HEAD", "/health")[2] == b""
