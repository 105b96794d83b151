"""The examples in docs/python.md and docs/first-stage.md run unchanged."""
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from client import last, request, stream
from server import HERE, SRC

DOCS = HERE.parent.parent.parent / "docs"
ENV = {**os.environ, "PYTHONPATH": str(SRC), "PYTHONDONTWRITEBYTECODE": "1"}


def blocks(page, language):
    """The code blocks of a page, named by their first comment line if they have one."""
    return re.findall(rf"^```{language}\n(.*?)^```$", (DOCS / page).read_text(encoding="utf-8"), re.M | re.S)


def named(page, name):
    (found,) = [block for block in blocks(page, "python") if block.startswith(f"# {name}\n")]
    return found


def test_every_python_block_compiles():
    for page in ("python.md", "first-stage.md"):
        found = blocks(page, "python")
        assert found
        for block in found:
            compile(block, page, "exec")


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """All stages of the reference in one service, as a reader would type them."""
    from server import Server

    folder = tmp_path_factory.mktemp("reference")
    text = "\n\n".join(block for block in blocks("python.md", "python") if "# not run" not in block)
    (folder / "service.py").write_text(text, encoding="utf-8")
    server = Server(folder, application="service:stages")
    yield server
    server.stop()


@pytest.mark.parametrize("stage, asked, results", [
    (14, {}, {"sections": 2}), (15, {}, {"words": 3}), (16, {}, {"pages": 2}), (17, {}, {"answer": 42}),
    (18, {"inputs": {"year_from": 2015}}, {"year_from": 2015}),
])
def test_reference(reference, stage, asked, results):
    line = last(reference.port, stage, request(**asked))
    assert line.get("results") == results, (line, reference.output())


def test_reference_errors(reference):
    from client import execute_json

    assert last(reference.port, 19)["code"] == "TOO_FEW_PAPERS"
    status, answer = execute_json(reference.port, 18, request(inputs={"year_from": "2015"}))
    assert (status, answer["detail"]["message"]) == (422, "inputs/year_from must be an integer.")


def test_reference_describes_itself(reference):
    done = subprocess.run([sys.executable, "-m", "stagecast", "describe", "service:stages"], env=ENV, cwd=reference.folder, capture_output=True, text=True)
    stages = json.loads(done.stdout)["stages"]
    assert {each["stage"] for each in stages} >= {14, 15, 16, 17, 18, 19}


def test_first_stage(serve, tmp_path):
    """The tutorial step by step: its commands, and the output that it shows."""
    (tmp_path / "service.py").write_text(named("first-stage.md", "service.py"), encoding="utf-8")
    server = serve(application="service:stages", STAGE_HEARTBEAT_MS="10000")
    body = json.loads(re.search(r"-d '(\{.*?\})'", (DOCS / "first-stage.md").read_text(encoding="utf-8"), re.S).group(1))
    lines = stream(server.port, 15, body)
    (printed,) = [block for block in blocks("first-stage.md", "json") if '"type": "result"' in block]
    shown = [json.loads(line) for line in printed.splitlines()]
    for line in (lines[-1], shown[-1]):
        line.pop("duration_ms")
    assert shown == lines
    done = subprocess.run([sys.executable, "-m", "stagecast", "describe", "service:stages"], env=ENV, cwd=tmp_path, capture_output=True, text=True)
    (described,) = [block for block in blocks("first-stage.md", "json") if '"stages"' in block]
    assert json.loads(done.stdout) == json.loads(described)
    done = subprocess.run([sys.executable, "-m", "stagecast", "check", f"http://127.0.0.1:{server.port}"], env=ENV, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    (printed,) = [block for block in blocks("first-stage.md", "text") if "No faults." in block]
    assert done.stdout.strip() == printed.strip()


def test_the_example(serve, tmp_path):
    folder = Path(HERE).parent.parent.parent / "examples" / "python"
    server = serve(application="service:stages", PYTHONPATH=f"{SRC}:{folder}")
    line = last(server.port, 2, request(research_question="Does fasting help cardiovascular health?"))
    assert line["results"] == {"source": "sample", "matched": 3}
    assert len([each for each in (folder / "service.py").read_text(encoding="utf-8").splitlines() if each]) <= 40
