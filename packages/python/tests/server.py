"""Real servers as processes. The test owns the listening socket, so it can connect before the server is ready."""
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
SRC = HERE.parent / "src"


class Server:
    """kind: "uvicorn", "hypercorn", "gunicorn" (two workers) or "fastapi" (mounted under /stages, on uvicorn)."""

    def __init__(self, folder, kind="uvicorn", application="everything:stages", path=None, **env):
        self.folder, self.kind, self.application = Path(folder), kind, application
        self.env = {
            **os.environ, "PYTHONPATH": os.pathsep.join([str(path or SRC), str(HERE / "services"), str(self.folder), *filter(None, [os.environ.get("PYTHONPATH")])]),
            "PYTHONDONTWRITEBYTECODE": "1", "STAGE_DATA_DIR": str(self.folder / "data"),
            "TEST_FOLDER": str(self.folder), "STAGE_HEARTBEAT_MS": "50", **env,
        }
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.log = self.folder / "server.log"
        self.start()

    def start(self):
        self.listener.set_inheritable(True)
        fd = self.listener.fileno()
        commands = {
            "uvicorn": ["uvicorn", self.application, "--fd", str(fd), "--no-access-log"],
            "fastapi": ["uvicorn", "mounted:app", "--fd", str(fd), "--no-access-log"],
            "hypercorn": ["hypercorn", self.application, "-b", f"fd://{fd}"],
            "gunicorn": ["gunicorn", self.application, "-k", "uvicorn.workers.UvicornWorker", "-w", "2", "-b", f"fd://{fd}"],
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *commands[self.kind]], env=self.env, cwd=self.folder,
                pass_fds=[fd], stdout=log, stderr=log, start_new_session=True,
            )

    def kill(self):
        """Kills all processes of this server at once with SIGKILL."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(30)

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def stop(self):
        if self.process.poll() is None:
            self.kill()
        self.listener.close()

    def output(self):
        return self.log.read_text(encoding="utf-8", errors="replace")
