"""HTTP as the check needs it: raw paths, raw bodies, and their timing."""
import http.client
import json
import socket
import time
import urllib.parse
from dataclasses import dataclass, field
from typing import Any, Dict, Iterator, Mapping, Optional

# Longest wait for an answer to a quick request, in s.
QUICK = 30.0
MAX_BYTES = 1 << 30


class Broken(Exception):
    """No complete answer came. The message says how it failed and follows "the connection"."""


class Unreachable(Exception):
    """No server listens at the address."""


@dataclass
class Answer:
    status: int
    headers: Dict[str, str]
    body: bytes = b""

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").split(";")[0].strip().lower()


@dataclass
class Wire:
    """A service at `base`, with headers to send with every request."""

    base: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        parts = urllib.parse.urlsplit(self.base)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{self.base!r} is not the URL of a service; use one such as http://127.0.0.1:8000")
        self._parts = parts
        self._prefix = parts.path.rstrip("/")

    def get(self, path: str, method: str = "GET", headers: Optional[Mapping[str, str]] = None) -> Answer:
        with self.open(method, path, headers=headers, timeout=QUICK) as stream:
            return stream.whole(QUICK)

    def post(self, path: str, body: bytes, headers: Mapping[str, str], timeout: float = QUICK) -> Answer:
        with self.open("POST", path, body, headers, timeout) as stream:
            return stream.whole(timeout)

    def open(
        self, method: str, path: str, body: Optional[bytes] = None,
        headers: Optional[Mapping[str, str]] = None, timeout: float = QUICK,
    ) -> "Stream":
        """Sends a request and waits for the response headers. Raises Broken or Unreachable."""
        secure = self._parts.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = kind(self._parts.hostname or "", self._parts.port, timeout=QUICK)
        try:
            connection.connect()
        except OSError as error:
            raise Unreachable(f"{self.base} cannot be reached: {error.strerror or error}") from None
        try:
            connection.putrequest(method, self._prefix + path, skip_accept_encoding=True)
            for name, value in {**self.headers, **(headers or {})}.items():
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            sock = connection.sock
            sock.settimeout(timeout)
            answer = connection.getresponse()
        except socket.timeout:
            connection.close()
            raise Broken(f"stayed silent: no answer within {timeout:g} s") from None
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise Broken(f"failed before an answer came ({_words(error)})") from None
        return Stream(connection, sock, answer)


class Stream:
    """An answer whose headers have arrived."""

    def __init__(self, connection: http.client.HTTPConnection, sock: socket.socket, answer: http.client.HTTPResponse):
        self._connection, self._sock, self._answer = connection, sock, answer
        self.status = answer.status
        self.headers = {name.lower(): value for name, value in answer.getheaders()}

    def chunks(self, silence: float) -> Iterator[bytes]:
        """The chunks of the body. Raises Broken if it is cut off, or silent for `silence` seconds."""
        self._sock.settimeout(silence)
        size = 0
        try:
            while True:
                chunk = self._answer.read1(65_536)
                size += len(chunk)
                if not chunk:
                    break
                yield chunk
        except socket.timeout:
            raise Broken(f"stayed silent for {silence:g} s in the middle of an answer") from None
        except (OSError, http.client.HTTPException) as error:
            raise Broken(f"was cut off in the middle of an answer ({_words(error)})") from None
        length = self.headers.get("content-length")
        if length and length.isdigit() and size < int(length) and self._answer.status not in (204, 304):
            raise Broken(f"was cut off: got {size} of {length} bytes")

    def be_patient(self, seconds: float) -> None:
        """Changes the silence limit while `chunks` is being read."""
        self._sock.settimeout(seconds)

    def whole(self, silence: float) -> Answer:
        body = bytearray()
        limit = time.monotonic() + max(silence, QUICK)
        for chunk in self.chunks(silence):
            body += chunk
            if len(body) > MAX_BYTES or time.monotonic() > limit + 600:
                raise Broken("does not end")
        return Answer(self.status, self.headers, bytes(body))

    def close(self) -> None:
        """Disconnects, even in the middle of an answer."""
        try:
            self._sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._answer.close()
        self._connection.close()

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, *_error: Any) -> None:
        self.close()


def to_json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _words(error: Exception) -> str:
    return type(error).__name__ if not isinstance(error, OSError) else error.strerror or type(error).__name__
