"""A client of a stage service on plain sockets, so that tests see the exact bytes."""
import http.client
import json
import socket
import uuid

LINES = "application/x-ndjson, application/json"


def request(**change):
    made = {
        "workflow_id": str(uuid.uuid4()), "job_id": str(uuid.uuid4()), "user_id": "user-1",
        "research_question": "Does sleep help?", "inputs": {}, "run_id": None, "upstream": {},
    }
    return {**made, **change}


class Call:
    """One execute call. `next_line` waits for a line; `rest` reads to the end; `hang_up` closes the connection."""

    def __init__(self, port, stage, asked, accept=LINES, headers=None, prefix="", receive_buffer=None):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        if receive_buffer:
            sock = socket.socket()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            sock.settimeout(60)
            sock.connect(("127.0.0.1", port))
            self.connection.sock = sock
        about = {"Content-Type": "application/json", "Accept": accept, "Idempotency-Key": str(asked["job_id"])}
        path = f"{prefix}/api/workflow/stages/{stage}/execute"
        self.connection.request("POST", path, json.dumps(asked), {**about, **(headers or {})})
        self.sock = self.connection.sock

    def begin(self):
        """Waits for the status line and headers of the answer."""
        self.response = self.connection.getresponse()
        return self

    @property
    def status(self):
        return self.response.status

    def next_line(self):
        line = self.response.readline()
        return json.loads(line) if line else None

    def until(self, **fields):
        """Reads up to the first line that has these fields."""
        while True:
            line = self.next_line()
            assert line is not None, f"the answer ended before a line with {fields}"
            if all(line.get(name) == value for name, value in fields.items()):
                return line

    def rest(self):
        lines = [json.loads(line) for line in self.response.read().splitlines()]
        self.connection.close()
        return lines

    def hang_up(self):
        self.sock.shutdown(socket.SHUT_RDWR)
        self.connection.close()


def stream(port, stage, asked=None, **options):
    """All lines of one call."""
    return Call(port, stage, asked or request(), **options).begin().rest()


def last(port, stage, asked=None, **options):
    return stream(port, stage, asked, **options)[-1]


def http_call(port, method, path, body=None, headers=None):
    """Status, headers (lower case) and body of any request."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(method, path, body, headers or {})
    response = connection.getresponse()
    data = response.read()
    connection.close()
    return response.status, {name.lower(): value for name, value in response.getheaders()}, data


def execute_json(port, stage, asked=None, headers=None, body=None):
    """Status and object of a call that requests one JSON answer."""
    asked = asked or request()
    about = {"Content-Type": "application/json", "Accept": "application/json", **(headers or {})}
    data = json.dumps(asked) if body is None else body
    status, _, answer = http_call(port, "POST", f"/api/workflow/stages/{stage}/execute", data, about)
    return status, json.loads(answer)
