"""Files of earlier stages: fetching, checking, and faults."""
import hashlib
import http.server
import threading

import pytest
from client import last, request
from stagecast.errors import Cancelled, StageError
from stagecast.upstream import Upstream

DATA = "papers: ü".encode()
SHA = hashlib.sha256(DATA).hexdigest()


class Origin(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.seen.append((self.path, self.headers.get("authorization")))
        status, body, length = self.server.answer
        self.send_response(status)
        if status == 302:
            self.send_header("Location", self.server.elsewhere)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def serve_origin():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Origin)
    server.seen, server.answer, server.elsewhere = [], (200, DATA, None), ""
    server.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@pytest.fixture
def origin():
    server = serve_origin()
    yield server
    server.shutdown()
    server.server_close()


def sent(origin, **change):
    name = "literature_review.json"
    file = {"name": name, "sha256": SHA, "bytes": len(DATA), "media_type": "application/json", "url": f"{origin.url}/{name}"}
    return {"2": {"job_id": "j", "results": {"papers": 3}, "files": [{**file, **change}]}}


def stage_two(upstream, folder, check=lambda: None, headers=None):
    return Upstream(upstream, folder, check, headers or {})[2]


def test_in_a_stage(one_server, origin):
    results = last(one_server.port, 13, request(upstream=sent(origin)))["results"]
    assert results == {"read": DATA.decode(), "results": {"papers": 3}, "others": False, "stages": [2]}
    assert len(origin.seen) == 1, "fetched once, opened twice"


def test_a_changed_file_in_a_stage(one_server, origin):
    origin.answer = (200, DATA[:-2] + b"u!", None)
    line = last(one_server.port, 13, request(upstream=sent(origin, bytes=None)))
    assert (line["code"], line["retryable"]) == ("UPSTREAM_CHANGED", True) and "SHA-256" in line["message"]


@pytest.mark.parametrize("answer, change, code, retryable", [
    ((200, DATA + b"x", None), {}, "UPSTREAM_CHANGED", True),
    ((200, DATA[:4], len(DATA)), {}, "UPSTREAM_UNREACHABLE", True),
    ((404, b"", None), {}, "UPSTREAM_FILE_MISSING", False),
    ((503, b"", None), {}, "UPSTREAM_UNREACHABLE", True),
    ((429, b"", None), {}, "UPSTREAM_UNREACHABLE", True),
    ((200, DATA, None), {"url": "http://127.0.0.1:9/x"}, "UPSTREAM_UNREACHABLE", True),
    ((200, DATA, None), {"url": "file:///etc/passwd"}, "UPSTREAM_FILE_MISSING", False),
    ((200, DATA, None), {"url": None}, "UPSTREAM_FILE_MISSING", False),
    ((200, DATA, None), {"name": "other"}, "UPSTREAM_FILE_MISSING", False),
])
def test_faults(origin, tmp_path, answer, change, code, retryable):
    origin.answer = answer
    with pytest.raises(StageError) as caught:
        stage_two(sent(origin, **change), tmp_path).open("literature_review.json")
    assert (caught.value.code, caught.value.retryable) == (code, retryable)
    assert list(tmp_path.iterdir()) == [], "nothing half-fetched is left"


def test_without_a_hash_it_is_taken_as_it_comes(origin, tmp_path):
    assert stage_two(sent(origin, sha256=None, bytes=None), tmp_path).open("literature_review.json").read() == DATA


def test_headers_go_to_their_origin_only(origin, tmp_path):
    other = serve_origin()
    origin.answer, origin.elsewhere = (302, b"", None), f"{other.url}/there"
    headers = {origin.url: {"authorization": "Bearer x"}}
    assert stage_two(sent(origin), tmp_path, headers=headers).open("literature_review.json").read() == DATA
    assert origin.seen == [("/literature_review.json", "Bearer x")] and other.seen == [("/there", None)]
    other.shutdown()


def test_cancelling_ends_a_fetch(origin, tmp_path):
    def check():
        raise Cancelled()

    with pytest.raises(Cancelled):
        stage_two(sent(origin), tmp_path, check).open("literature_review.json")


def test_as_a_mapping(tmp_path):
    upstream = Upstream({"2": {"job_id": "j", "results": None, "files": None}, "x": {}, "3": None}, tmp_path, lambda: None, {})
    assert list(upstream) == [2] and 2 in upstream and 3 not in upstream and upstream.get(3) is None
    assert upstream["2"].results == {} and upstream[2].files == []
    with pytest.raises(KeyError):
        upstream[3]


def test_no_upstream_at_all(one_server):
    line = last(one_server.port, 13)
    assert line["code"] == "UPSTREAM_MISSING" and "upstream: none" in line["message"]


def test_from_one_stage_to_the_next(one_server):
    """One stage reads a file of another stage of this service, as the worker passes it on."""
    asked = request()
    made = last(one_server.port, 1, asked)
    where = f"http://127.0.0.1:{one_server.port}/api/workflow/jobs/{asked['job_id']}/artifacts/"
    files = [{**file, "name": "literature_review.json", "url": where + file["name"]} for file in made["files"][:1]]
    upstream = {"2": {"job_id": asked["job_id"], "results": made["results"], "files": files}}
    assert last(one_server.port, 13, request(upstream=upstream))["results"]["read"].startswith("# intro")
