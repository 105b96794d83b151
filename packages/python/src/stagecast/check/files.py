"""Checks the artifacts of a finished job, and its deletion."""
import hashlib
import urllib.parse
import uuid
from typing import Any, Dict, Optional

from . import answer as judge
from .report import Report
from .wire import Answer, Broken, Wire

Object = Dict[str, Any]

_ESCAPES = ["..%2f..%2f..%2f..%2fetc%2fpasswd", "%2e%2e%2frecord.json", "..%5c..%5cetc%5cpasswd", "%2fetc%2fpasswd", "..%252fx"]


def path_of(job_id: str, name: str) -> str:
    return f"/api/workflow/jobs/{job_id}/artifacts/{urllib.parse.quote(name, safe='')}"


def check_files(wire: Wire, job_id: str, result: Object, report: Report) -> None:
    described = {file["name"]: file for file in result.get("files") or [] if isinstance(file, dict) and "name" in file}
    names = [name for name in result.get("artifacts") or [] if isinstance(name, str) and judge.NAME.fullmatch(name)]
    for name in names:
        answer = _get(wire, path_of(job_id, name), f"the artifact {ascii(name)[:80]}", report)
        if answer and _is_there(answer, name, report):
            _compare(answer, name, described.get(name, {}), report)
            _check_range(wire, path_of(job_id, name), answer, name, report)
    if names:
        report.ok(f"{len(names)} artifact{'s' if len(names) > 1 else ''} fetched")


def check_missing(wire: Wire, job_id: str, report: Report) -> None:
    """Missing artifacts are 404, however the name is spelled."""
    missing = {
        "an artifact that does not exist": path_of(job_id, f"missing-{uuid.uuid4().hex}.txt"),
        "an artifact of an unknown job": path_of(str(uuid.uuid4()), "x.txt"),
    }
    for what, path in missing.items():
        answer = _get(wire, path, what, report)
        if answer:
            judge.judge_refusal(answer, what, [404], report)
    for name in _ESCAPES:
        what = f"the path {name} in place of an artifact"
        answer = _get(wire, f"/api/workflow/jobs/{job_id}/artifacts/{name}", what, report)
        if answer and answer.status < 400:
            report.fault(f"{what} is answered with {answer.status}: it leads out of the folder.", "Serve only names that the result lists, compared as whole strings.")
        elif answer and answer.status >= 500:
            report.fault(f"{what} is answered with {answer.status}.", "Answer it with 404.")


def check_delete(wire: Wire, job_id: str, result: Object, report: Report) -> None:
    """DELETE is optional (404 and 405 count as done), but a 204 must mean that the files are gone."""
    try:
        answer = wire.get(f"/api/workflow/jobs/{job_id}", "DELETE")
    except Broken as error:
        report.fault(f"DELETE of a job: the connection {error}.", "Answer it with 204, or 405 when the service has no DELETE.")
        return
    if answer.status in (404, 405, 501):
        report.note(f"DELETE of a job is answered with {answer.status}; the files stay until the service removes them itself.")
        if answer.status == 501:
            report.fault("DELETE of a job is answered with 501, which stops the deletion.", "Answer 405 when the service has no DELETE.")
        return
    if not 200 <= answer.status < 300:
        report.fault(f"DELETE of a finished job is answered with {answer.status}.", "Answer it with 204; 404 for an unknown job.")
        return
    for name in [name for name in result.get("artifacts") or [] if isinstance(name, str) and judge.NAME.fullmatch(name)][:1]:
        left = _get(wire, path_of(job_id, name), "a deleted artifact", report)
        if left and left.status < 400:
            report.fault(f"after DELETE the artifact {ascii(name)[:80]} is still served.", "Remove the files before answering DELETE.")


def _get(wire: Wire, path: str, what: str, report: Report) -> Optional[Answer]:
    try:
        return wire.get(path)
    except Broken as error:
        report.fault(f"{what}: the connection {error}.", "Answer every request to its end; send Content-Length with a file.")
        return None


def _is_there(answer: Answer, name: str, report: Report) -> bool:
    if answer.status == 200:
        return True
    report.fault(
        f"the artifact {ascii(name)[:80]} is answered with {answer.status}.",
        "Serve every name of `artifacts` under /api/workflow/jobs/{job_id}/artifacts/{name}, percent-encoded names too.",
    )
    return False


def _compare(answer: Answer, name: str, described: Object, report: Report) -> None:
    shown = ascii(name)[:80]
    if described.get("bytes") not in (None, len(answer.body)):
        report.fault(f"the artifact {shown} has {len(answer.body)} bytes, `files` says {described['bytes']}.", "Make `files` match the file that is served.")
    digest = hashlib.sha256(answer.body).hexdigest()
    if described.get("sha256") not in (None, digest):
        report.fault(f"the SHA-256 of the artifact {shown} is {digest[:12]}…, `files` says {str(described['sha256'])[:12]}….", "Hash the file once it is complete, and never change it.")


def _check_range(wire: Wire, path: str, whole: Answer, name: str, report: Report) -> None:
    """Ranges are optional, but if the service answers one, the answer must be right."""
    if len(whole.body) < 2:
        return
    try:
        part = wire.get(path, headers={"Range": "bytes=1-1"})
    except Broken as error:
        report.fault(f"a range of {ascii(name)[:80]}: the connection {error}.", "Send what Content-Length announces.")
        return
    if part.status == 200 and part.body == whole.body:
        return
    wanted = f"bytes 1-1/{len(whole.body)}"
    if part.status != 206 or part.body != whole.body[1:2] or part.headers.get("content-range") != wanted:
        report.fault(f"the range bytes=1-1 of {ascii(name)[:80]} is answered wrongly (status {part.status}).", f"Answer 206 with that byte and Content-Range: {wanted}, or 200 with the whole file.")
