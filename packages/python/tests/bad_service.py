"""A stage service without the package. It follows the contract, except for the faults that a request names."""
import hashlib
import http.server
import json
import threading
import uuid

TEXT = b"an artifact"


def good_result(asked, stage, run):
    file = {"name": "a b.txt", "sha256": hashlib.sha256(TEXT).hexdigest(), "bytes": len(TEXT), "media_type": "text/plain"}
    return {
        "success": True, "stage": stage, "workflow_id": asked["workflow_id"], "job_id": asked["job_id"],
        "artifacts": ["a b.txt"], "files": [file], "results": {"n": 1}, "duration_ms": run,
    }


def deep():
    value = {}
    for _ in range(250):
        value = {"a": value}
    return value


def file_with(**change):
    return lambda result: result["files"][0].update(change)


# Faults that change the result object.
RESULT = {
    "no success": lambda r: r.pop("success"),
    "success is a string": lambda r: r.update(success="yes"),
    "success is false": lambda r: r.update(success=False, message="no papers"),
    "another stage": lambda r: r.update(stage=99),
    "another job_id": lambda r: r.update(job_id=str(uuid.uuid4())),
    "another workflow_id": lambda r: r.update(workflow_id=str(uuid.uuid4())),
    "negative duration": lambda r: r.update(duration_ms=-1),
    "results is a list": lambda r: r.update(results=[1]),
    "artifacts is an object": lambda r: r.update(artifacts={}),
    "artifact with a slash": lambda r: r["artifacts"].append("a/b.txt"),
    "artifact is a number": lambda r: r["artifacts"].append(7),
    "artifact twice": lambda r: r["artifacts"].append("a b.txt"),
    "artifact that is not there": lambda r: r["artifacts"].append("missing.txt"),
    "file not in artifacts": lambda r: r["files"].append({**r["files"][0], "name": "other.txt"}),
    "wrong sha256": file_with(sha256="0" * 64),
    "sha256 in capitals": file_with(sha256=hashlib.sha256(TEXT).hexdigest().upper()),
    "wrong bytes": file_with(bytes=5),
    "bytes is a string": file_with(bytes="11"),
    "media_type is not a type": file_with(media_type="text"),
    "files is an object": lambda r: r.update(files={}),
    "half a surrogate": lambda r: r["results"].update(a="\ud800"),
    "too deep": lambda r: r["results"].update(a=deep()),
    "too large": lambda r: r["results"].update(a="x" * 1_100_000),
}

# Faults that change the text of the result.
TEXTS = {
    "NaN": ('"n": 1', '"n": NaN'), "integer beyond 2^53": ('"n": 1', '"n": 9007199254740993'), "overflow": ('"n": 1', '"n": 1e999'),
    "minus zero": ('"n": 1', '"n": -0'), "duplicate key": ('"n": 1', '"n": 1, "n": 2'), "underflow": ('"n": 1', '"n": 1e-999'),
    "not UTF-8": ('"n": 1', '"n": "\udcff"'), "not JSON": ('"n": 1', "'n': 1"),
}

# Faults that add lines before the result.
LINES = {
    "percent over 100": '{"type": "progress", "percent": 120}', "percent is a string": '{"type": "progress", "percent": "50"}',
    "percent is missing": '{"type": "progress"}', "message is a number": '{"type": "progress", "percent": 50, "message": 7}',
    "progress goes back": '{"type": "progress", "percent": 5}', "line is a list": "[1]", "line is not JSON": "working…", "line without type": '{"percent": 5}',
}

# Faults that replace the last line.
ENDS = {
    "no result": [], "error without code": ['{"type": "error", "message": "x", "retryable": true}'],
    "error without message": ['{"type": "error", "code": "X", "retryable": true}'],
    "error without retryable": ['{"type": "error", "code": "X", "message": "x"}'],
}

OTHERS = [
    "lines after the result", "silence", "does not end", "cut off", "content type", "compressed", "redirect", "refuses new fields", "html error",
    "health is missing", "list is an object", "list with a bad stage", "list with a number as version", "unknown stage is 500", "unknown stage is done",
    "bad body is 500", "bad body hangs", "error without detail", "detail is a text", "empty object is done", "missing artifact is 200",
    "missing artifact is 500", "leads out of the folder", "artifact of an unknown job", "artifact is cut off", "wrong range", "works again",
    "another result for a repeat", "mismatch is done", "second job hangs up", "stuck after a hang-up", "two at once differ", "delete is 500",
    "delete removes nothing", "number as job_id is done",
]
FAULTS = [*RESULT, *TEXTS, *LINES, *ENDS, *OTHERS]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are sent apart, and would wait for each other

    def log_message(self, *_):
        pass

    @property
    def fault(self):
        return self.server.fault

    def answer(self, status, value, headers=()):
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        for name, each in {"Content-Type": "application/json", "Content-Length": str(len(body)), **dict(headers)}.items():
            self.send_header(name, each)
        self.end_headers()
        self.wfile.write(body)

    def refuse(self, status, code="REFUSED"):
        detail = {"code": code, "message": "Refused."}
        if self.fault == "error without detail":
            self.answer(status, {"error": "Refused."})
        elif self.fault == "detail is a text":
            self.answer(status, {"detail": "Refused."})
        else:
            self.answer(status, {"detail": detail})

    def do_GET(self):
        if self.path == "/health":
            return self.refuse(404) if self.fault == "health is missing" else self.answer(200, {"status": "ok"})
        if self.path == "/api/workflow/stages":
            listed = {"list is an object": {"stages": [5]}, "list with a bad stage": [{"stage": 5}, {"stage": "6"}], "list with a number as version": [{"stage": 5, "version": 3}]}
            return self.answer(200, listed.get(self.fault, [{"stage": 5, "version": "1"}]))
        parts = self.path.split("/")
        if len(parts) == 7 and parts[5] == "artifacts":
            return self.artifact(parts[4], parts[6])
        return self.refuse(404)

    def artifact(self, job_id, name):
        known = job_id in self.server.results or (self.fault == "artifact of an unknown job" and name == "x.txt")
        if self.fault == "leads out of the folder" and "%2f" in name:
            return self.answer(200, b"root:x:0:0")
        if self.fault == "missing artifact is 200" and name.startswith("missing"):
            return self.answer(200, b"")
        if self.fault == "missing artifact is 500" and name.startswith("missing"):
            return self.refuse(500)
        if not known or name not in ("a%20b.txt", "x.txt"):
            return self.refuse(404)
        wanted = self.headers.get("Range")
        if wanted == "bytes=1-1":
            shifted = TEXT[:1] if self.fault == "wrong range" else TEXT[1:2]
            return self.answer(206, shifted, {"Content-Range": f"bytes 1-1/{len(TEXT)}"}.items())
        if self.fault == "artifact is cut off":
            self.answer(200, TEXT, {"Content-Length": str(len(TEXT) + 5)}.items())
            self.close_connection = True
            return None
        return self.answer(200, TEXT)

    def do_DELETE(self):
        job_id = self.path.split("/")[4]
        if self.fault == "delete is 500":
            return self.refuse(500)
        if self.fault != "delete removes nothing" and self.server.results.pop(job_id, None) is None:
            return self.refuse(404)
        self.send_response(204)
        self.end_headers()
        return None

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        stage = int(self.path.split("/")[4])
        if stage != 5:
            if self.fault == "unknown stage is done":
                return self.answer(200, {"success": True})
            return self.refuse(500 if self.fault == "unknown stage is 500" else 404, "STAGE_NOT_FOUND")
        try:
            asked = json.loads(body)
        except ValueError:
            if self.fault == "bad body hangs":
                self.server.ended.wait(30)
                return None
            return self.refuse(500 if self.fault == "bad body is 500" else 400)
        if asked == {}:
            return self.answer(200, {"success": True}) if self.fault == "empty object is done" else self.refuse(422)
        if not isinstance(asked["job_id"], str):
            return self.answer(200, {"success": True}) if self.fault == "number as job_id is done" else self.refuse(422)
        if self.fault == "refuses new fields" and "run_id" in asked:
            return self.refuse(422)
        return self.execute(asked, stage)

    def execute(self, asked, stage):
        server, key = self.server, asked["job_id"]
        with server.lock:
            server.calls += 1
            first = key not in server.asked
            count = server.asked.setdefault(key, [asked["research_question"], 0])
            count[1] += 1
            if not first and count[0] != asked["research_question"] and self.fault != "mismatch is done":
                return self.refuse(422)
            if self.fault == "redirect":
                return self.answer(307, b"", {"Location": "/elsewhere"}.items())
            if self.fault == "html error":
                return self.answer(502, b"<html>Bad Gateway</html>", {"Content-Type": "text/html"}.items())
            if self.fault == "second job hangs up" and len(server.asked) == 2:
                self.close_connection = True
                return None
            if self.fault == "stuck after a hang-up" and len(server.asked) == 2 and count[1] > 1:
                return self.refuse(409)
            result = server.results.get(key) or good_result(asked, stage, server.calls)
            server.results[key] = result
            result = json.loads(json.dumps(result))
            if self.fault == "works again":
                result["duration_ms"] = server.calls
            if self.fault == "another result for a repeat" and not first:
                result["results"] = {"n": server.calls}
            if self.fault == "two at once differ" and len(server.asked) == 2:
                result["results"] = {"n": count[1]}
        return self.send_lines(result)

    def send_lines(self, result):
        if self.fault in RESULT:
            RESULT[self.fault](result)
        text = json.dumps({"type": "result", **result})
        if self.fault in TEXTS:
            text = text.replace(*TEXTS[self.fault])
        lines = ['{"type": "progress", "percent": 10, "message": "begun"}', '{"type": "heartbeat"}']
        lines += [LINES[self.fault]] if self.fault in LINES else []
        lines += ENDS.get(self.fault, [text])
        lines += [text] if self.fault == "lines after the result" else []
        self.send_response(200)
        kind = "text/plain" if self.fault == "content type" else "application/x-ndjson"
        self.send_header("Content-Type", kind)
        if self.fault == "compressed":
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for line in lines[:1] if self.fault in ("silence", "cut off") else lines:
            data = line.encode("utf-8", "surrogateescape") + b"\n"
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()
        if self.fault in ("silence", "does not end"):
            self.server.ended.wait(30)
        if self.fault in ("cut off", "silence", "does not end"):
            self.close_connection = True
            return
        self.wfile.write(b"0\r\n\r\n")


class BadService(http.server.ThreadingHTTPServer):
    """`with BadService("NaN") as url:`; None: without a fault."""

    daemon_threads = True

    def __init__(self, fault=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.fault, self.calls, self.asked, self.results = fault, 0, {}, {}
        self.lock, self.ended = threading.Lock(), threading.Event()

    def handle_error(self, *_):
        pass

    def __enter__(self):
        self.thread = threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()
        return f"http://127.0.0.1:{self.server_port}"

    def __exit__(self, *_):
        self.ended.set()
        self.shutdown()
        self.server_close()
