"""Judges the answers to execute: lines, results and errors."""
import json
import re
from typing import Any, Dict, List, Optional

from . import strict
from .report import Report
from .wire import Answer

MAX_RESULT_BYTES = 1024 * 1024
MAX_ARTIFACTS = 1000
NAME = re.compile(r"(?!\.{1,2}$)[^/\\\x00-\x1f\x7f]{1,255}")
CODE = re.compile(r"[A-Za-z0-9_.-]{1,100}")
Object = Dict[str, Any]


def read_object(data: bytes, what: str, report: Report) -> Optional[Object]:
    """Returns the JSON object, or None after reporting a fault."""
    value, complaints = strict.read(data)
    for words, mend in complaints:
        report.fault(f"{what} is invalid: {words}.", mend[0].upper() + mend[1:] + ".")
    if isinstance(value, dict):
        return value
    if not complaints:
        report.fault(f"{what} is not a JSON object but {_kind(value)}.", "Send one JSON object.")
    return None


def judge_line(data: bytes, number: int, report: Report) -> Optional[Object]:
    """Judges one line of an NDJSON answer. Returns it if it is the result or error, which needs more checks."""
    line = read_object(data, f"line {number}", report)
    if line is None:
        return None
    kind = line.get("type")
    if kind == "progress":
        _judge_progress(line, number, report)
    elif kind == "error":
        judge_error_line(line, report)
        return line
    elif kind == "result":
        return line
    elif not isinstance(kind, str):
        report.fault(
            f"line {number} has no `type`.",
            'Give each line a "type": "progress", "heartbeat", "result" or "error".',
        )
    elif kind != "heartbeat":
        report.note(f"line {number} has the type {ascii(kind)[:40]}, which is ignored.")
    return None


def _judge_progress(line: Object, number: int, report: Report) -> None:
    percent = line.get("percent")
    if isinstance(percent, bool) or not isinstance(percent, (int, float)):
        report.fault(f"`percent` of line {number} is {_kind(percent)}.", "Send a number from 0 to 100.")
    elif not 0 <= percent <= 100:
        report.fault(f"`percent` of line {number} is {percent:g}.", "Send a number from 0 to 100, the share of the work that is done.")
    message = line.get("message")
    if message is not None and not isinstance(message, str):
        report.fault(f"`message` of line {number} is {_kind(message)}.", "Send a string, or leave it out.")


def judge_error_line(line: Object, report: Report) -> None:
    code, message, retryable = (line.get(name) for name in ("code", "message", "retryable"))
    if not isinstance(code, str) or not CODE.fullmatch(code):
        report.fault("the error line has no usable `code`.", 'Send a stable word such as "code": "TOO_FEW_PAPERS".')
    if not isinstance(message, str) or not message.strip():
        report.fault("the error line has no `message`.", "Send a readable sentence as `message`.")
    if not isinstance(retryable, bool):
        report.fault("`retryable` of the error line is not true or false.", "Send true if another attempt may succeed, else false.")


def judge_result(result: Object, asked: Object, stage: int, report: Report) -> bool:
    """Judges the object of a JSON answer or of the result line. Returns whether it reports success."""
    success = result.get("success")
    if not isinstance(success, bool):
        report.fault("`success` of the result is not true or false.", 'Send "success": true with a result.')
        return False
    if not success:
        said = result.get("message")
        report.fault(
            f"the result says \"success\": false{f': {said}' if isinstance(said, str) else ''}.",
            "If the request did not suit the stage, pass --question or --inputs; otherwise find out why the stage fails.",
        )
        return False
    for name, meant in (("stage", stage), ("job_id", asked["job_id"]), ("workflow_id", asked["workflow_id"])):
        value = result.get(name)
        same = value.lower() == meant if isinstance(value, str) and isinstance(meant, str) else value == meant
        if value is not None and (not same or isinstance(value, bool)):
            report.fault(f"`{name}` of the result is {ascii(value)[:60]}, not {meant}, which was requested.", f"Repeat the request's own {name}, or leave it out.")
    duration = result.get("duration_ms")
    if duration is not None and (isinstance(duration, bool) or not isinstance(duration, (int, float)) or not duration >= 0):
        report.fault(f"`duration_ms` is {ascii(duration)[:40]}.", "Send the milliseconds that the work took, 0 or more.")
    results = result.get("results")
    if results is not None and not isinstance(results, dict):
        report.fault(f"`results` is {_kind(results)}.", "Send an object; put a list into a field of it.")
    _judge_artifacts(result.get("artifacts"), report)
    _judge_files(result.get("files"), result.get("artifacts"), report)
    size = len(json.dumps(result, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    if size > MAX_RESULT_BYTES:
        report.fault(
            f"the result has {size} bytes, more than the {MAX_RESULT_BYTES} that workers accept by default.",
            "Write large data to artifacts and keep a summary in `results`.",
        )
    return True


def _judge_artifacts(names: Any, report: Report) -> None:
    if names is None:
        return
    if not isinstance(names, list):
        report.fault(f"`artifacts` is {_kind(names)}.", "Send a list of file names.")
        return
    for name in names:
        if not isinstance(name, str) or not NAME.fullmatch(name):
            report.fault(
                f"`artifacts` has {ascii(name)[:80]}, which is not a bare file name.",
                "Name files without folders, `/`, `\\` or control characters, at most 255 characters.",
            )
    if len(names) > MAX_ARTIFACTS:
        report.fault(f"`artifacts` has {len(names)} names.", f"Send at most {MAX_ARTIFACTS}; combine files.")
    strings = [name for name in names if isinstance(name, str)]
    if len(set(strings)) < len(strings):
        report.fault("`artifacts` names a file twice.", "Name each file once.")


def _judge_files(files: Any, names: Any, report: Report) -> None:
    if files is None:
        return
    if not isinstance(files, list):
        report.fault(f"`files` is {_kind(files)}.", "Send a list of { name, sha256, bytes, media_type }.")
        return
    for file in files:
        if not isinstance(file, dict):
            report.fault(f"`files` has {_kind(file)}.", "Send { name, sha256, bytes, media_type } for each file.")
            continue
        name = ascii(file.get("name"))[:80]
        if not isinstance(names, list) or file.get("name") not in names:
            report.fault(f"`files` has {name}, which `artifacts` does not name.", "Name each file in both.")
        if not re.fullmatch(r"[0-9a-f]{64}", str(file.get("sha256"))):
            report.fault(f"`sha256` of the file {name} is not a SHA-256.", "Send it as 64 hexadecimal digits in lower case.")
        size = file.get("bytes")
        if isinstance(size, bool) or not isinstance(size, int) or size < 0:
            report.fault(f"`bytes` of the file {name} is {ascii(size)[:40]}.", "Send its size as an integer.")
        media_type = file.get("media_type")
        if media_type is not None and (not isinstance(media_type, str) or "/" not in media_type):
            report.fault(f"`media_type` of the file {name} is {ascii(media_type)[:40]}.", 'Send one such as "text/csv".')


def judge_refusal(answer: Answer, what: str, allowed: List[int], report: Report) -> None:
    """Judges an error answer: one of the allowed statuses, with `{ "detail": { "code", "message" } }`."""
    wanted = " or ".join(map(str, allowed))
    if answer.status not in allowed:
        retried = ", which Stagecast would retry" if answer.status >= 500 else ""
        report.fault(f"{what} is answered with {answer.status}{retried}.", f"Answer it with {wanted}.")
    if answer.status >= 400:
        judge_detail(answer, what, report)


def judge_detail(answer: Answer, what: str, report: Report) -> None:
    value, _complaints = strict.read(answer.body)
    detail = value.get("detail") if isinstance(value, dict) else None
    code = detail.get("code") if isinstance(detail, dict) else None
    message = detail.get("message") if isinstance(detail, dict) else None
    if not isinstance(code, str) or not CODE.fullmatch(code) or not isinstance(message, str):
        report.fault(
            f"the error for {what} (status {answer.status}) does not have the form of the contract.",
            'Answer errors with { "detail": { "code": "SOME_WORD", "message": "A sentence." } }.',
        )


def _kind(value: Any) -> str:
    names = {type(None): "missing", bool: "true or false", int: "a number", float: "a number", str: "a string",
             list: "a list", dict: "an object"}
    return names.get(type(value), type(value).__name__)
