"""`python -m stagecast check` and `describe`."""
import io
import json
import os
import re
import subprocess
import sys

import pytest
from bad_service import FAULTS, BadService
from server import HERE, SRC
from stagecast.check import Options, Report, check_service
from stagecast.check.call import Patience

ENV = {**os.environ, "PYTHONPATH": str(SRC), "PYTHONDONTWRITEBYTECODE": "1"}

# Words that the report must contain for each fault, so that the check fails for the right reason.
WORDS = {
    "no success": "`success` of the result", "success is a string": "`success` of the result", "success is false": "no papers", "another stage": "`stage` of the result is 99",
    "another job_id": "`job_id` of the result", "another workflow_id": "`workflow_id` of the result", "negative duration": "`duration_ms` is -1",
    "results is a list": "`results` is a list", "artifacts is an object": "`artifacts` is an object", "artifact with a slash": "'a/b.txt'",
    "artifact is a number": "has 7", "artifact twice": "a file twice", "artifact that is not there": "'missing.txt' is answered with 404",
    "file not in artifacts": "'other.txt', which `artifacts` does not name", "wrong sha256": "SHA-256 of the artifact 'a b.txt'", "sha256 in capitals": "is not a SHA-256",
    "wrong bytes": "has 11 bytes, `files` says 5", "bytes is a string": "`bytes` of the file", "media_type is not a type": "`media_type`",
    "files is an object": "`files` is an object", "half a surrogate": "half a surrogate pair", "too deep": "more than 200 levels", "too large": "more than 1048576 bytes",
    "NaN": "NaN", "integer beyond 2^53": "9007199254740993", "overflow": "1e999", "minus zero": "-0", "duplicate key": "'n' twice", "underflow": "1e-999",
    "not UTF-8": "not UTF-8", "not JSON": "is not JSON", "percent over 100": "is 120", "percent is a string": "`percent` of line 3 is a string",
    "percent is missing": "`percent` of line 3 is missing", "message is a number": "`message` of line 3 is a number", "progress goes back": "goes back from 10 to 5",
    "line is a list": "line 3 is not a JSON object but a list", "line is not JSON": "line 3 is invalid", "line without type": "line 3 has no `type`",
    "no result": "ends without a result", "error without code": "no usable `code`", "error without message": "no `message`", "error without retryable": "`retryable` of the error line",
    "lines after the result": "lines after the result", "silence": "stayed silent", "does not end": "after the last line the connection", "cut off": "cut off",
    "content type": "'text/plain'", "compressed": "compressed (gzip)", "redirect": "status 307", "refuses new fields": "status 422", "html error": "status 502",
    "health is missing": "GET /health is answered with 404", "list is an object": "does not answer with a JSON list", "list with a bad stage": "whose `stage` is not a unique number",
    "list with a number as version": "version of stage 5 is not a string", "unknown stage is 500": "stage that does not exist is answered with 500", "unknown stage is done": "stage that does not exist is answered with 200",
    "bad body is 500": "not JSON is answered with 500", "bad body hangs": "a body that is not JSON: the connection stayed silent", "error without detail": "the form of the contract",
    "detail is a text": "the form of the contract", "empty object is done": "an empty object is answered with 200", "missing artifact is 200": "does not exist is answered with 200",
    "missing artifact is 500": "does not exist is answered with 500", "leads out of the folder": "leads out of the folder", "artifact of an unknown job": "unknown job is answered with 200",
    "artifact is cut off": "got 11 of 16 bytes", "wrong range": "bytes=1-1", "works again": "ran twice", "another result for a repeat": "got a different result: results differ",
    "mismatch is done": "already used is answered with 200", "second job hangs up": "failed before an answer came", "stuck after a hang-up": "did not both get a result",
    "two at once differ": "requested twice at once after a disconnect, got a different result", "delete is 500": "DELETE of a finished job is answered with 500",
    "delete removes nothing": "is still served", "number as job_id is done": "job_id that is a number is answered with 200",
}


def check(url, **options):
    out, report = io.StringIO(), None
    report = Report(out)
    check_service(url, Options(patience=Patience(20.0, 0.5), **options), report)
    report.close()
    return report, out.getvalue()


def test_a_good_service_has_no_faults():
    with BadService() as url:
        report, text = check(url)
    assert report.faults == [] and text.endswith("\nNo faults.\n"), text
    assert "it ran and answered with a result" in text and "1 artifact fetched" in text and "after a disconnect, got the same result" in text


@pytest.mark.parametrize("fault", FAULTS)
def test_fault(fault):
    with BadService(fault) as url:
        report, text = check(url, stages=[5])
    assert any(WORDS[fault] in each.what for each in report.faults), text
    assert all(each.mend.endswith(".") and len(each.mend) > 10 for each in report.faults)
    # One planted fault may cause a few others.
    assert len(report.faults) <= 10, text


def test_every_fault_has_words():
    assert set(WORDS) == set(FAULTS) and len(FAULTS) >= 25


def run(*arguments, cwd=None, **env):
    return subprocess.run([sys.executable, "-m", "stagecast", *arguments], env={**ENV, **env}, cwd=cwd, capture_output=True, text=True, timeout=120)


def test_exit_status():
    with BadService() as url:
        good = run("check", url)
        assert (good.returncode, good.stderr) == (0, "") and "No faults." in good.stdout
        unknown = run("check", url, "--stage", "7")
        assert unknown.returncode == 1 and "status 404" in unknown.stdout
    with BadService("NaN") as url:
        bad = run("check", url)
        assert bad.returncode == 1 and re.search(r"FAULT  stage 5: .*NaN.*\n       Fix: ", bad.stdout)
        assert re.search(r"\n[1-9]\d* faults?\n$", bad.stdout)
    gone = run("check", url)
    assert gone.returncode == 2 and "cannot be reached" in gone.stdout
    for arguments in (["check"], ["check", "no-url"], ["check", url, "--inputs", "[]"], ["check", url, "--header", "x"], ["nonsense"], []):
        assert run(*arguments).returncode == 2, arguments
    assert run("--help").returncode == 0 and run("check", "--help").returncode == 0


def test_inputs_and_headers(one_server, tmp_path):
    url = f"http://127.0.0.1:{one_server.port}"
    refused = run("check", url, "--stage", "15", "--quick")
    assert refused.returncode == 1 and "n is missing" in refused.stdout and "--inputs" in refused.stdout
    (tmp_path / "inputs.json").write_text('{"15": {"n": 2}}')
    assert run("check", url, "--stage", "15", "--inputs", f"@{tmp_path / 'inputs.json'}").returncode == 0
    assert run("check", url, "--stage", "15", "--quick", "--inputs", '{"n": 2}', "--header", "authorization: Bearer x").returncode == 0


def test_our_own_service(any_server):
    for stage in (1, 2, 3, 4, 12):
        report, text = check(f"http://127.0.0.1:{any_server.port}{any_server.prefix}", stages=[stage])
        assert report.faults == [], text
    assert not list((any_server.folder / "data" / "jobs").iterdir()), "the check deletes what it made"


def test_a_service_that_lists_nothing():
    with BadService("list is an object") as url:
        report, text = check(url)
    assert any("no stages" in each.what for each in report.faults)


def test_describe(tmp_path):
    done = run("describe", "everything:stages", cwd=HERE / "services", TEST_FOLDER=str(tmp_path), STAGE_DATA_DIR=str(tmp_path / "data"))
    assert done.returncode == 0, done.stderr
    stages = {each["stage"]: each for each in json.loads(done.stdout)["stages"]}
    assert stages[1] == {"stage": 1, "slug": "generator", "title": "Generator", "version": "1"}
    assert stages[14]["title"] == "With options" and stages[14]["needs"] == [2] and stages[14]["version"] == "2"
    assert stages[14]["inputs"]["properties"]["years"] == {"type": "array", "items": {"type": "integer"}, "default": []}
    assert stages[14]["inputs"]["properties"]["population"]["required"] == ["name"]
    assert stages[5]["title"] == "Waits in a thread without the GIL, like real work"
    assert "inputs" not in stages[15] and stages[16]["inputs"]["properties"]["year_from"]["minimum"] == 1900
    assert not (tmp_path / "data").exists(), "describing starts nothing"


@pytest.mark.parametrize("target, words", [
    ("everything", "MODULE:NAME"), ("missing_module:stages", "no module 'missing_module'"), ("everything:nothing", "it has stages"), ("everything:FOLDER", "it has stages"),
])
def test_describe_what_is_not_there(tmp_path, target, words):
    done = run("describe", target, cwd=HERE / "services", TEST_FOLDER=str(tmp_path), STAGE_DATA_DIR=str(tmp_path / "data"))
    assert done.returncode == 1 and words in done.stderr and "Traceback" not in done.stderr
