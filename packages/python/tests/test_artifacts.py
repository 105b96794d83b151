"""Files: complete or absent, with hashes, ranges, ETags and strange names; and deleting them."""
import hashlib
import http.client
import json
import os
import socket
import urllib.parse

import pytest
from client import Call, http_call, last, request


def path(job_id, name, prefix=""):
    return f"{prefix}/api/workflow/jobs/{job_id}/artifacts/{urllib.parse.quote(name, safe='')}"


@pytest.fixture(scope="module")
def big(any_server):
    asked = request()
    return asked["job_id"], last(any_server.port, 11, asked, prefix=any_server.prefix)["files"][0]


BIG = bytes(range(256)) * 4096 * 100


def test_a_big_file(any_server, big):
    job_id, file = big
    expected = {"name": "big.bin", "sha256": hashlib.sha256(BIG).hexdigest(), "bytes": len(BIG)}
    assert file == {**expected, "media_type": "application/octet-stream"}
    status, headers, body = http_call(any_server.port, "GET", path(job_id, "big.bin", any_server.prefix))
    assert status == 200 and body == BIG and headers["content-length"] == str(len(BIG))
    assert headers["etag"] == f'"{expected["sha256"]}"' and headers["accept-ranges"] == "bytes"
    assert headers["x-content-type-options"] == "nosniff"


LAST = len(BIG) - 1


@pytest.mark.parametrize("wanted, first, end", [
    ("bytes=0-0", 0, 0), ("bytes=100-299", 100, 299), (f"bytes={LAST}-", LAST, LAST), ("bytes=-5", LAST - 4, LAST),
    (f"bytes=50000000-{LAST + 10}", 50_000_000, LAST), ("bytes=-999999999", 0, LAST), ("bytes=99999990-99999999", 99_999_990, 99_999_999),
])
def test_range(any_server, big, wanted, first, end):
    status, headers, body = http_call(any_server.port, "GET", path(big[0], "big.bin", any_server.prefix), headers={"Range": wanted})
    assert status == 206 and headers["content-range"] == f"bytes {first}-{end}/{len(BIG)}"
    assert headers["content-length"] == str(end - first + 1) and body == BIG[first:end + 1]


@pytest.mark.parametrize("wanted, status", [
    (f"bytes={len(BIG)}-", 416), ("bytes=-0", 416), ("bytes=5-2", 200), ("bytes=0-0,5-9", 200), ("items=0-1", 200),
    ("bytes=-", 200), ("bytes=a-b", 200), ("bytes=0-99999999999999999999", 200),
])
def test_range_that_is_not_obeyed(one_server, wanted, status):
    asked = request()
    last(one_server.port, 1, asked)
    size = len(f"# intro: {asked['research_question']}")
    wanted = wanted.replace(str(len(BIG)), str(size))
    answer = http_call(one_server.port, "GET", path(asked["job_id"], "intro.md"), headers={"Range": wanted})
    assert answer[0] == status
    if status == 416:
        assert answer[1]["content-range"] == f"bytes */{size}" and json.loads(answer[2])["detail"]["code"] == "RANGE_NOT_SATISFIABLE"


def test_conditions(one_server):
    asked = request()
    tag = f'"{last(one_server.port, 1, asked)["files"][0]["sha256"]}"'
    where = path(asked["job_id"], "intro.md")
    for given, status in [(tag, 304), (f'W/{tag}, "x"', 304), ("*", 304), ('"x"', 200)]:
        answer = http_call(one_server.port, "GET", where, headers={"If-None-Match": given})
        assert answer[0] == status and answer[1]["etag"] == tag and (answer[2] == b"") == (status == 304)
    for given, status in [(tag, 206), ('"x"', 200)]:
        assert http_call(one_server.port, "GET", where, headers={"If-Range": given, "Range": "bytes=0-1"})[0] == status
    status, headers, body = http_call(one_server.port, "HEAD", where)
    assert status == 200 and body == b"" and int(headers["content-length"]) > 0


def test_names(any_server):
    asked = request()
    result = last(any_server.port, 12, asked, prefix=any_server.prefix)
    assert result["artifacts"] == ["Überblick – 概要 🧬.md", "with space & % ? #.txt", "empty.txt", "table.csv", "by-library.txt"]
    assert [file["media_type"] for file in result["files"]] == [
        "text/markdown; charset=utf-8", "text/plain; charset=utf-8", "text/plain; charset=utf-8", "text/csv; charset=utf-8", "text/plain; charset=utf-8"]
    contents = ["ü".encode(), b"bytes", b"no more", "a,ü\r\n".encode(), b"path"]
    for name, expected, file in zip(result["artifacts"], contents, result["files"]):
        status, headers, body = http_call(any_server.port, "GET", path(asked["job_id"], name, any_server.prefix))
        assert (status, body) == (200, expected)
        assert file["sha256"] == hashlib.sha256(expected).hexdigest() and file["bytes"] == len(expected)
        assert headers["content-type"] == file["media_type"]


def test_no_path_leads_out_of_the_folder(one_server):
    asked = request()
    last(one_server.port, 1, asked)
    data = one_server.folder / "data"
    (data / "secret.txt").write_text("secret")
    folder = data / "jobs" / asked["job_id"] / "artifacts"
    os.symlink(data / "secret.txt", folder / "link.md")
    job = f"/api/workflow/jobs/{asked['job_id']}/artifacts/"
    paths = ["../record.json", "..%2frecord.json", "%2e%2e%2frecord.json", "..", ".", "%00", "intro.md%00", "link.md", "x" * 3000,
             "..%252frecord.json", "..%5crecord.json", "%ff", "%zz", "intro.md/", "/etc/passwd", "%2fetc%2fpasswd", "INTRO.MD", ""]
    for each in [job + part for part in paths] + [f"/api/workflow/jobs/..%2f..%2f{asked['job_id']}/artifacts/intro.md"]:
        status, _, body = http_call(one_server.port, "GET", each)
        assert status == 404 and b"secret" not in body and set(json.loads(body)["detail"]) == {"code", "message"}, each
    (data / "secret.txt").write_text("s" * (folder / "intro.md").stat().st_size)
    (folder / "intro.md").unlink()
    os.symlink(data / "secret.txt", folder / "intro.md")
    assert http_call(one_server.port, "GET", job + "intro.md")[0] == 404


def test_a_truncated_artifact_is_not_served(one_server):
    asked = request()
    last(one_server.port, 1, asked)
    (one_server.folder / "data" / "jobs" / asked["job_id"] / "artifacts" / "intro.md").write_text("x")
    assert http_call(one_server.port, "GET", path(asked["job_id"], "intro.md"))[0] == 404


def test_delete(any_server):
    asked = request()
    where = f"{any_server.prefix}/api/workflow/jobs/{asked['job_id']}"
    assert http_call(any_server.port, "DELETE", where)[0] == 404
    first = last(any_server.port, 1, asked, prefix=any_server.prefix)
    status, headers, body = http_call(any_server.port, "DELETE", where)
    assert (status, body) == (204, b"")
    assert http_call(any_server.port, "GET", path(asked["job_id"], "intro.md", any_server.prefix))[0] == 404
    assert http_call(any_server.port, "DELETE", where)[0] == 404
    again = last(any_server.port, 1, asked, prefix=any_server.prefix)
    assert again["files"] == first["files"], "after a DELETE the job may be worked on again"


def test_a_running_job_is_not_deleted(serve, told, tmp_path):
    one, two, asked = serve(), serve(), request()
    call = Call(one.port, 7, asked).begin()
    call.until(type="progress")
    for server in (one, two):
        status, _, body = http_call(server.port, "DELETE", f"/api/workflow/jobs/{asked['job_id']}")
        assert (status, json.loads(body)["detail"]["code"]) == (409, "JOB_RUNNING")
    (tmp_path / f"go-{asked['job_id']}").touch()
    assert call.rest()[-1]["success"] is True


def open_files(server):
    folder = f"/proc/{server.process.pid}/fd"
    return [os.readlink(f"{folder}/{fd}") for fd in os.listdir(folder) if os.path.lexists(f"{folder}/{fd}")]


def test_readers_that_leave_a_download(one_server):
    asked = request()
    last(one_server.port, 11, asked)
    for _ in range(10):
        connection = http.client.HTTPConnection("127.0.0.1", one_server.port, timeout=60)
        connection.request("GET", path(asked["job_id"], "big.bin"))
        sock = connection.sock
        connection.getresponse().read(1000)
        sock.shutdown(socket.SHUT_RDWR)
        connection.close()
    for _ in range(200):  # a file is closed once the hang-up has been seen
        http_call(one_server.port, "GET", "/health")
        if not any("big.bin" in each for each in open_files(one_server)):
            break
    assert not any("big.bin" in each for each in open_files(one_server))
