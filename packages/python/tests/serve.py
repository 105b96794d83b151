"""Serves an application as the contract test of stage services starts one: JSON log lines, a free port, SIGTERM.

    python3 serve.py FOLDER MODULE:NAME       settings: HOST, PORT, and those that Stages reads from the environment
"""
import asyncio
import importlib
import json
import logging
import os
import socket
import sys

import uvicorn

sys.path[:0] = [sys.argv[1], os.path.join(os.path.dirname(__file__), "..", "src")]


class JsonLines(logging.Formatter):
    def format(self, record):
        about = {name: getattr(record, name) for name in ("job_id", "stage", "code") if hasattr(record, name)}
        return json.dumps({**about, "level": record.levelname, "msg": getattr(record, "event", record.getMessage())})


class Server(uvicorn.Server):
    """uvicorn waits for running answers without limit; this server stops them after the grace period of `Stages`."""

    def handle_exit(self, sig, frame):
        asyncio.get_event_loop().create_task(stages.close())
        super().handle_exit(sig, frame)


handler = logging.StreamHandler(sys.stdout)
handler.setFormatter(JsonLines())
logging.getLogger("stagecast").addHandler(handler)
logging.getLogger("stagecast").setLevel(logging.INFO)

module, name = sys.argv[2].split(":")
stages = getattr(importlib.import_module(module), name)
host = os.environ.get("HOST") or "127.0.0.1"
with socket.create_server((host, int(os.environ.get("PORT") or 0))) as listener:
    print(json.dumps({"msg": f"listening at http://{host}:{listener.getsockname()[1]}"}), flush=True)
    Server(uvicorn.Config(stages, log_level="warning", access_log=False)).run(sockets=[listener])
