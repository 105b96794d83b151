"""Makes one execute call, reads the answer to its end and judges it."""
import time
import uuid
from typing import Any, Dict, NamedTuple, Optional

from . import answer as judge
from .report import Report
from .wire import Answer, Broken, Stream, Wire, to_json

LINES = "application/x-ndjson, application/json"
# How long a service may take to end its answer after the last line, in s.
LET_END = 5.0

Object = Dict[str, Any]


class Patience(NamedTuple):
    """timeout: longest call. silence: longest wait for the next line once the answer has begun. Both in seconds."""

    timeout: float = 1800.0
    silence: float = 60.0


def request_for(question: str, inputs: Object, upstream: Object) -> Object:
    ids = {"workflow_id": str(uuid.uuid4()), "job_id": str(uuid.uuid4())}
    return {**ids, "research_question": question, "user_id": "stagecast-check", "inputs": inputs, "run_id": None, "upstream": upstream}


def path_of(stage: int) -> str:
    return f"/api/workflow/stages/{stage}/execute"


def headers_for(asked: Object, attempt: int = 1, accept: str = LINES) -> Dict[str, str]:
    key = str(asked["job_id"])
    return {
        "Content-Type": "application/json", "Accept": accept, "X-Request-ID": key, "Idempotency-Key": key,
        "X-Attempt": str(attempt), "traceparent": f"00-{uuid.uuid4().hex}-{uuid.uuid4().hex[:16]}-01",
    }


def open_call(wire: Wire, stage: int, asked: Object, patience: Patience, attempt: int = 1, accept: str = LINES) -> Stream:
    return wire.open("POST", path_of(stage), to_json(asked), headers_for(asked, attempt, accept), patience.timeout)


def call(
    wire: Wire, stage: int, asked: Object, patience: Patience, report: Report, attempt: int = 1, accept: str = LINES
) -> Optional[Object]:
    """Returns the result of a successful call without its `type`. Reports a fault and returns None for any other end."""
    try:
        with open_call(wire, stage, asked, patience, attempt, accept) as stream:
            last = _read(stream, patience, report)
    except Broken as error:
        report.fault(f"the connection {error}.", "Send heartbeat lines in slow steps, and end every answer with a result or an error.")
        return None
    if last is None:
        return None
    if last.get("type") == "error":
        report.fault(
            f"the stage ended with the error {ascii(last.get('code'))}: {ascii(last.get('message'))[:200]}.",
            "If the request did not suit the stage, pass --question, --inputs or --upstream; otherwise find out why the stage fails.",
        )
        return None
    result = {name: value for name, value in last.items() if name != "type"}
    return result if judge.judge_result(result, asked, stage, report) else None


def _read(stream: Stream, patience: Patience, report: Report) -> Optional[Object]:
    answer = Answer(stream.status, stream.headers)
    if stream.headers.get("content-encoding", "identity").lower() != "identity":
        report.fault(f"the answer is compressed ({stream.headers['content-encoding']}), which was not requested.", "Send it uncompressed.")
        return None
    if stream.status != 200:
        whole = stream.whole(patience.silence)
        _judge_status(whole, report)
        return None
    if answer.media_type == "application/x-ndjson":
        return _read_lines(stream, patience, report)
    if answer.media_type == "application/json":
        whole = stream.whole(patience.silence)
        return judge.read_object(whole.body, "the answer", report)
    report.fault(
        f"the content type of the answer is {ascii(answer.media_type)}.",
        "Send application/x-ndjson for lines, application/json for one object.",
    )
    return None


def _judge_status(answer: Answer, report: Report) -> None:
    if answer.status < 400:
        report.fault(f"a valid request is answered with status {answer.status}.", "Answer 200 with a result; redirects are not followed.")
        return
    judge.judge_detail(answer, "a valid request", report)
    said = ascii(answer.body[:200].decode("utf-8", "replace"))
    report.fault(
        f"a valid request is answered with status {answer.status}: {said}.",
        "Accept every field of the contract, including run_id and upstream. If this request did not suit the stage, pass --question, --inputs or --upstream.",
    )


def _read_lines(stream: Stream, patience: Patience, report: Report) -> Optional[Object]:
    rest, number, highest = b"", 0, 0.0
    last: Optional[Object] = None
    silence_ends = time.monotonic() + patience.silence
    try:
        for chunk in stream.chunks(patience.silence):
            rest += chunk
            *lines, rest = rest.split(b"\n")
            if len(rest) > judge.MAX_RESULT_BYTES:
                report.fault(f"line {number + 1} has more than {judge.MAX_RESULT_BYTES} bytes.", "Write large data to artifacts.")
                return None
            for data in filter(bytes.strip, lines):
                number += 1
                silence_ends = time.monotonic() + patience.silence
                if last is not None:
                    report.fault("there are lines after the result.", "Send the result or error as the last line, and end the answer.")
                    return last
                last = judge.judge_line(data, number, report)
                highest = max(highest, _percent(data, highest, report))
                if last is not None:
                    stream.be_patient(min(LET_END, patience.silence))
            if time.monotonic() > silence_ends:
                raise Broken(f"sent no complete line for {patience.silence:g} s")
    except Broken as error:
        if last is None:
            raise
        report.fault(f"after the last line the connection {error}.", "End the answer after its last line.")
        return last
    if rest.strip() and last is None:
        number += 1
        report.note("the last line does not end with a line feed.")
        last = judge.judge_line(rest, number, report)
    elif rest.strip():
        report.fault("there are lines after the result.", "Send the result or error as the last line, and end the answer.")
    if last is None:
        report.fault("the answer ends without a result or an error.", 'Send {"type":"result", …} or {"type":"error", …} as the last line.')
    return last


def _percent(data: bytes, highest: float, report: Report) -> float:
    value, _complaints = judge.strict.read(data)
    percent = value.get("percent") if isinstance(value, dict) and value.get("type") == "progress" else None
    if isinstance(percent, bool) or not isinstance(percent, (int, float)) or not 0 <= percent <= 100:
        return highest
    if percent < highest:
        report.fault(f"progress goes back from {highest:g} to {percent:g}.", "Never send a lower percentage than before.")
    return float(percent)
