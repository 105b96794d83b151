"""One job with many callers: joining, disconnecting, replay, kill -9, several processes."""
import http.client
import json
import socket
import threading

import pytest
from client import Call, execute_json, http_call, last, request, stream

SERVERS = pytest.mark.parametrize("kind", ["uvicorn", "hypercorn", "gunicorn", "fastapi"])


def prefix(kind):
    return "/stages" if kind == "fastapi" else ""



@SERVERS
def test_joining(serve, told, tmp_path, kind):
    server, asked, told = serve(kind), request(), told(tmp_path)
    calls = [Call(server.port, 7, asked, prefix=prefix(kind)).begin() for _ in range(8)]
    for call in calls:
        call.until(type="progress")
    leaving = calls.pop()
    leaving.hang_up()
    answers = []
    plain = threading.Thread(target=lambda: answers.append(execute_json(server.port, 7, asked)))
    if kind != "fastapi":
        plain.start()
    for call in calls:
        call.until(type="progress")  # the one that hung up has not stopped the work
    (tmp_path / f"go-{asked['job_id']}").touch()
    ends = [call.rest() for call in calls]
    assert all(end[-1] == ends[0][-1] for end in ends) and ends[0][-1]["results"] == {"worked": True}
    if kind != "fastapi":
        plain.join(30)
        assert {"type": "result", **answers[0][1]} == ends[0][-1]
    assert len(told.lines("start")) == 1 and told.lines("cancelled") == []
    for lines in ends:
        percents = [line["percent"] for line in lines if line["type"] == "progress"]
        assert percents == sorted(percents)


@SERVERS
def test_the_last_hang_up_cancels(serve, told, tmp_path, kind):
    server, asked, told = serve(kind), request(), told(tmp_path)
    calls = [Call(server.port, 7, asked, prefix=prefix(kind)).begin() for _ in range(4)]
    for call in calls:
        call.until(type="progress")
    told.wait("start")
    for call in calls[:3]:
        call.hang_up()
    for _ in range(50):
        calls[3].until(type="progress")
    assert told.lines("cancelled") == []
    calls[3].hang_up()
    assert told.wait("cancelled") == [f"cancelled {asked['job_id']} True"]
    told.wait("end")
    # The same job may start again, and nothing of the first attempt is left.
    again = Call(server.port, 7, asked, prefix=prefix(kind)).begin()
    told.wait("start", 2)
    (tmp_path / f"go-{asked['job_id']}").touch()
    assert again.rest()[-1]["success"] is True
    assert len(told.lines("start")) == 2


def test_an_await_is_interrupted(serve, told, tmp_path):
    server, asked = serve(), request()
    call = Call(server.port, 8, asked).begin()
    told(tmp_path).wait("sleeping")
    call.hang_up()
    assert told(tmp_path).wait("cancelled") == [f"cancelled {asked['job_id']} True"]


def test_an_async_stage_may_look_for_itself(serve, told, tmp_path):
    server, asked = serve(), request()
    call = Call(server.port, 9, asked)
    told(tmp_path).wait("looking")
    call.hang_up()
    assert told(tmp_path).wait("seen") == [f"seen {asked['job_id']}"]


def test_hanging_up_in_the_json_form(serve, told, tmp_path):
    server, asked, told = serve(), request(), told(tmp_path)
    call = Call(server.port, 7, asked, accept="application/json")
    told.wait("start")
    call.hang_up()
    told.wait("cancelled")


def test_a_stubborn_stage_never_runs_twice_side_by_side(serve, told, tmp_path):
    server, asked, told = serve(), request(), told(tmp_path)
    call = Call(server.port, 27, asked).begin()
    told.wait("start")
    call.hang_up()
    for _ in range(2):  # by the second answer the service has seen the hang-up that came before
        http_call(server.port, "GET", "/health")
    again = Call(server.port, 27, asked).begin()
    for _ in range(3):
        again.until(type="heartbeat")
    assert len(told.lines("start")) == 1
    (tmp_path / f"go-{asked['job_id']}").touch()
    assert again.rest()[-1]["success"] is True
    assert told.lines() == [f"start {asked['job_id']}", f"end {asked['job_id']}"] * 2


def test_another_request_under_the_same_id(serve, tmp_path):
    server, asked = serve(), request()
    call = Call(server.port, 7, asked).begin()
    call.until(type="progress")
    other = {**asked, "research_question": "Something else?"}
    status, answer = execute_json(server.port, 7, other)
    assert (status, answer["detail"]["code"]) == (422, "IDEMPOTENCY_MISMATCH")
    assert execute_json(server.port, 1, asked)[0] == 422
    (tmp_path / f"go-{asked['job_id']}").touch()
    call.rest()
    assert execute_json(server.port, 7, other)[0] == 422
    assert execute_json(server.port, 7, {**asked, "upstream": {"1": {}}, "run_id": "r"})[0] == 200


def test_a_mismatch_in_another_process(serve, tmp_path):
    one, two, asked = serve(), serve(), request()
    call = Call(one.port, 7, asked).begin()
    call.until(type="progress")
    status, answer = execute_json(two.port, 7, {**asked, "user_id": "another"})
    assert (status, answer["detail"]["code"]) == (422, "IDEMPOTENCY_MISMATCH")
    call.hang_up()


def test_joining_from_another_process(serve, told, tmp_path):
    """Two servers share a data folder: a caller at the second joins, stays when the first's callers leave, and gets the result."""
    one, two, asked, told = serve(), serve(), request(), told(tmp_path)
    first = Call(one.port, 7, asked).begin()
    first.until(type="progress")
    second = Call(two.port, 7, asked).begin()
    second.until(type="progress")
    first.hang_up()
    for _ in range(30):
        second.until(type="progress")
    assert told.lines("cancelled") == []
    (tmp_path / f"go-{asked['job_id']}").touch()
    assert second.rest()[-1]["results"] == {"worked": True}
    assert len(told.lines("start")) == 1


def test_the_last_hang_up_in_another_process(serve, told, tmp_path):
    one, two, asked, told = serve(), serve(), request(), told(tmp_path)
    first = Call(one.port, 7, asked).begin()
    first.until(type="progress")
    second = Call(two.port, 7, asked).begin()
    second.until(type="progress")
    first.hang_up()
    second.until(type="progress")
    second.hang_up()
    told.wait("cancelled")


def test_an_error_reaches_callers_in_other_processes(serve, told, tmp_path):
    one, two, asked = serve(), serve(), request(inputs={})
    first = Call(one.port, 5, asked).begin()
    first.until(message="blocking")
    second = Call(two.port, 5, asked).begin()
    second.until(type="progress")
    (tmp_path / f"go-{asked['job_id']}").touch()
    assert first.rest()[-1] == second.rest()[-1]


def test_a_killed_process_is_taken_over(serve, told, tmp_path):
    """kill -9 of the process that runs the job: a caller at another process gets the result of a second run."""
    one, two, asked, told = serve(), serve(), request(), told(tmp_path)
    first = Call(one.port, 7, asked).begin()
    first.until(type="progress")
    second = Call(two.port, 7, asked).begin()
    second.until(type="progress")
    told.wait("start")
    one.kill()
    told.wait("start", 2)
    (tmp_path / f"go-{asked['job_id']}").touch()
    assert second.rest()[-1]["results"] == {"worked": True}
    assert len({line.split()[2] for line in told.lines("start")}) == 2
    assert [path for path in (tmp_path / "data").rglob("*") if path.parent.name in ("work", "running")] == []


def test_a_killed_joiner_counts_no_more(serve, told, tmp_path):
    one, two, asked, told = serve(), serve(), request(), told(tmp_path)
    first = Call(one.port, 7, asked).begin()
    first.until(type="progress")
    second = Call(two.port, 7, asked).begin()
    second.until(type="progress")
    first.hang_up()
    two.kill()
    told.wait("cancelled")


@pytest.mark.parametrize("kind", ["uvicorn", "gunicorn"])
def test_kill_between_result_and_answer(serve, told, tmp_path, kind):
    """The process is killed after storing the result and before answering: a repeat gets the result without a run."""
    server, asked, told = serve(kind), request(), told(tmp_path)
    call = Call(server.port, 10, asked).begin()
    with pytest.raises(http.client.IncompleteRead):
        call.rest()
    assert (tmp_path / "killed").exists()
    if kind == "uvicorn":
        server.process.wait(30)
        server.start()
    again = last(server.port, 10, asked, headers={"X-Attempt": "2"})
    assert again["results"] == {"n": 1} and again["artifacts"] == ["a.txt"]
    assert len(told.lines("start")) == 1
    assert http_call(server.port, "GET", f"/api/workflow/jobs/{asked['job_id']}/artifacts/a.txt")[2] == b"a"


def test_replay_after_a_restart(serve, told, tmp_path):
    server, asked = serve(), request()
    first = stream(server.port, 1, asked)
    server.kill()
    server.start()
    assert stream(server.port, 1, asked) == [first[-1]]


def test_a_caller_of_a_killed_service_can_come_again(serve, told, tmp_path):
    server, asked, told = serve(), request(), told(tmp_path)
    call = Call(server.port, 7, asked).begin()
    told.wait("start")
    server.kill()
    server.start()
    again = Call(server.port, 7, asked).begin()
    told.wait("start", 2)
    (tmp_path / f"go-{asked['job_id']}").touch()
    assert again.rest()[-1]["success"] is True
    assert list((tmp_path / "data" / "work").iterdir()) == []


def test_a_damaged_record_counts_as_none(serve, tmp_path):
    server, asked = serve(), request()
    first = last(server.port, 1, asked)
    record = tmp_path / "data" / "jobs" / asked["job_id"] / "record.json"
    record.write_text(record.read_text()[:50])
    assert last(server.port, 1, asked)["files"] == first["files"]


def test_a_slow_reader_costs_no_memory(serve):
    """200,000 steps for a client that does not read: the stage ends, old steps are skipped, and the result arrives."""
    server, asked = serve(), request()
    slow = Call(server.port, 28, asked, receive_buffer=4096).begin()
    assert last(server.port, 28, asked)["success"] is True  # another caller, at full speed
    resident = int(next(line for line in open(f"/proc/{server.process.pid}/status") if line.startswith("VmRSS")).split()[1])
    assert resident < 120_000, f"{resident} KB"
    lines = slow.rest()
    assert lines[-1]["success"] is True and len(lines) < 200_000


def test_many_hang_ups_leave_nothing(serve, told, tmp_path):
    server, told = serve(), told(tmp_path)
    for n in range(30):
        call = Call(server.port, 7, request())
        if n % 3:
            call.begin()
        if n % 3 == 2:
            call.until(type="progress")
        call.hang_up()
    for _ in range(200):
        health = json.loads(http_call(server.port, "GET", "/health")[2])
        if health["running"] == 0:
            break
        threading.Event().wait(0.05)
    assert health["running"] == 0
    assert [path for path in (tmp_path / "data").rglob("*") if path.parent.name in ("work", "running", "jobs")] == []


def test_half_a_request_is_no_job(serve, tmp_path):
    server = serve()
    last(server.port, 1)
    with socket.create_connection(("127.0.0.1", server.port)) as sock:
        sock.sendall(b"POST /api/workflow/stages/1/execute HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{")
    assert json.loads(http_call(server.port, "GET", "/health")[2])["running"] == 0
