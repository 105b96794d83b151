"""Mistakes of stages and of requests: each gets a clear error and never hangs."""
import json
import os
import sys
import tempfile

import pytest
from client import execute_json, http_call, last, request

os.environ.setdefault("TEST_FOLDER", tempfile.gettempdir())
os.environ.setdefault("STAGE_DATA_DIR", os.path.join(tempfile.gettempdir(), "never-made"))
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "services"))

from everything import MISTAKES, YIELDS  # noqa: E402


@pytest.mark.parametrize("stage", [20, 21], ids=["plain", "async"])
@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake(one_server, mistake, stage):
    _, code, words = MISTAKES[mistake]
    line = last(one_server.port, stage, request(inputs={"mistake": mistake}))
    assert line["type"] == "error" and line["code"] == code, line
    assert words in line["message"]
    assert line["retryable"] is (code == "STAGE_CRASHED")
    assert "secret" not in json.dumps(line)


@pytest.mark.parametrize("stage", [22, 23], ids=["plain", "async"])
@pytest.mark.parametrize("mistake", YIELDS)
def test_bad_yield(one_server, mistake, stage):
    _, code, words = YIELDS[mistake]
    line = last(one_server.port, stage, request(inputs={"mistake": mistake}))
    assert line["type"] == "error" and line["code"] == code and words in line["message"], line


def test_a_swallowed_mistake_is_still_one(one_server):
    assert last(one_server.port, 24)["code"] == "STAGE_PROGRESS_INVALID"


def test_a_half_written_file_never_appears(one_server):
    assert last(one_server.port, 25)["artifacts"] == ["whole.txt"]


def test_the_service_lives_on(one_server):
    health = json.loads(http_call(one_server.port, "GET", "/health")[2])
    assert health["running"] == 0
    assert last(one_server.port, 2)["success"] is True


def test_the_log_says_where_but_not_what(one_server):
    last(one_server.port, 20, request(inputs={"mistake": "exception"}))
    log = one_server.output()
    assert "everything.py" in log and "Surprise" in log and "in raises" in log
    assert "secret question" not in log and "Does sleep help" not in log


def test_the_log_says_what_when_told_to(serve):
    server = serve(LOG_SERVICE_ERRORS="true")
    last(server.port, 20, request(inputs={"mistake": "exception"}))
    assert "Surprise: secret question" in server.output()


GOOD = request()
REQUESTS = [
    ("broken JSON", '{"job_id":', 400), ("nothing", "", 400), ("null", "null", 422), ("a list", "[]", 422), ("a number", "7", 422),
    ("NaN", '{"inputs": {"a": NaN}}', 400), ("not UTF-8", b'{"a": "\xff"}', 400),
    ("deep", json.dumps({**GOOD, "inputs": "X"}).replace('"X"', '{"a":' + "[" * 250 + "]" * 250 + "}"), 422),
    ("deeper", '{"inputs":' + "[" * 100_000 + "]" * 100_000 + "}", 400),
    ("no job_id", json.dumps({**GOOD, "job_id": None}), 422), ("a path as job_id", json.dumps({**GOOD, "job_id": "../../x"}), 400),
    ("a urn", json.dumps({**GOOD, "job_id": "urn:uuid:" + GOOD["job_id"]}), 400), ("a line feed", json.dumps({**GOOD, "job_id": GOOD["job_id"] + "\n"}), 400),
    ("a number as question", json.dumps({**GOOD, "research_question": 7}), 422), ("a list as inputs", json.dumps({**GOOD, "inputs": []}), 422),
    ("no user", json.dumps({**GOOD, "user_id": None}), 422), ("too large", json.dumps({**GOOD, "research_question": "x" * 1_100_000}), 413),
    ("much too large", b"x" * 20_000_000, 413),
]


@pytest.mark.parametrize("name, body, status", REQUESTS, ids=[each[0] for each in REQUESTS])
def test_bad_request(one_server, name, body, status):
    try:
        answer = execute_json(one_server.port, 1, body=body)
    except (BrokenPipeError, ConnectionResetError):
        assert name == "much too large"  # cut off while it was sent
        return
    assert answer[0] == status and set(answer[1]["detail"]) == {"code", "message"}


def test_requests_that_do_not_agree(one_server):
    assert execute_json(one_server.port, 1, headers={"Idempotency-Key": request()["job_id"]})[0] == 400
    assert execute_json(one_server.port, 1, headers={"Content-Type": "text/plain"})[0] == 415
    for stage in ("999", "0", "two", "01", "1%20", "%D9%A1"):
        status, answer = execute_json(one_server.port, stage)
        assert (status, answer["detail"]["code"]) == (404, "STAGE_NOT_FOUND"), stage


def test_what_is_passed_over(one_server):
    asked = {**request(), "inputs": None, "upstream": None, "run_id": None, "unknown": [1]}
    assert execute_json(one_server.port, 1, body=("\ufeff" + json.dumps(asked)).encode())[0] == 200
    shouted = {**request(), "job_id": request()["job_id"].upper()}
    status, answer = execute_json(one_server.port, 1, shouted)
    assert status == 200 and answer["job_id"] == shouted["job_id"].lower()
