import sys
import threading
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "src")]
sys.dont_write_bytecode = True

from server import Server  # noqa: E402


@pytest.fixture
def serve(tmp_path):
    """Starts servers in the test's folder; they stop with the test."""
    servers = []

    def start(kind="uvicorn", folder=tmp_path, **options):
        servers.append(Server(folder, kind, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture(scope="module", params=["uvicorn", "hypercorn", "gunicorn", "fastapi"])
def any_server(request, tmp_path_factory):
    """One server of each kind for all tests of a file; its stages are under `prefix`."""
    server = Server(tmp_path_factory.mktemp(request.param), request.param)
    server.prefix = "/stages" if request.param == "fastapi" else ""
    yield server
    server.stop()


@pytest.fixture(scope="module")
def one_server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("one"))
    yield server
    server.stop()


class Told:
    """The lines that the stages of everything.py have recorded."""

    def __init__(self, folder):
        self.path = Path(folder) / "told"

    def lines(self, start=""):
        lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []
        return [line for line in lines if line.startswith(start)]

    def wait(self, start, count=1, seconds=30):
        """Polls until there are `count` such lines. Another process writes them, so no event announces them."""
        pause = threading.Event()
        for _ in range(int(seconds / 0.02)):
            if len(self.lines(start)) >= count:
                return self.lines(start)
            pause.wait(0.02)
        raise AssertionError(f"no {count} lines with {start!r}: {self.lines()}")


@pytest.fixture
def told():
    return Told
