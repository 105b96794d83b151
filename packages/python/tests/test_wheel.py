"""The wheel: built offline without build isolation, installed into an empty folder, and used there."""
import json
import os
import subprocess
import sys
import zipfile

import pytest
from client import last, request
from server import HERE

PACKAGE = HERE.parent


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Builds the wheel from a copy, so that no build folder is left next to the sources."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        (source / name).write_bytes((PACKAGE / name).read_bytes())
    run("cp", "-r", str(PACKAGE / "src"), str(source / "src"))
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-cache-dir"]
    # Without an index, any download during the build would fail.
    run(*pip, "wheel", "--no-build-isolation", "--no-deps", "--no-index", ".", "-w", str(folder / "out"), cwd=source)
    (made,) = (folder / "out").iterdir()
    return made


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-cache-dir"]
    run(*pip, "install", "--no-deps", "--no-index", "--target", str(folder), str(wheel))
    return folder


def test_what_is_in_it(wheel):
    assert wheel.name == "stagecast-0.1.0-py3-none-any.whl"
    names = set(zipfile.ZipFile(wheel).namelist())
    sources = {f"stagecast/{path.relative_to(PACKAGE / 'src' / 'stagecast')}" for path in (PACKAGE / "src" / "stagecast").rglob("*.py")}
    assert sources <= names and "stagecast/py.typed" in names
    assert {name.split("/")[0] for name in names} == {"stagecast", "stagecast-0.1.0.dist-info"}
    metadata = zipfile.ZipFile(wheel).read("stagecast-0.1.0.dist-info/METADATA").decode()
    assert "Requires-Dist" not in metadata and "Requires-Python: >=3.9" in metadata


def test_service_check_and_describe_from_an_empty_folder(installed, serve, tmp_path):
    (tmp_path / "service.py").write_text(
        'from stagecast import Stages\n\nstages = Stages(data="data")\n\n'
        '@stages.stage(14, version="3")\ndef draft(job):\n'
        '    for n, part in enumerate(["intro", "methods"]):\n'
        '        yield 50 * n, f"writing {part}"\n'
        '        job.write(f"{part}.md", "…")\n'
        '    return {"sections": 2}\n', encoding="utf-8")
    env = {**os.environ, "PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"}
    where = run(sys.executable, "-c", "import stagecast; print(stagecast.__file__)", cwd=tmp_path, env=env)
    assert where.startswith(str(installed))
    server = serve(application="service:stages", path=installed)
    result = last(server.port, 14, request())
    assert result["artifacts"] == ["intro.md", "methods.md"] and result["results"] == {"sections": 2}
    out = run(sys.executable, "-m", "stagecast", "check", f"http://127.0.0.1:{server.port}", cwd=tmp_path, env=env)
    assert "No faults." in out
    described = json.loads(run(sys.executable, "-m", "stagecast", "describe", "service:stages", cwd=tmp_path, env=env))
    assert described == {"stages": [{"stage": 14, "slug": "draft", "title": "Draft", "version": "3"}]}


def test_in_a_virtual_environment(wheel, tmp_path):
    """Installs the wheel with its command, next to Debian's uvicorn and FastAPI."""
    import venv

    venv.create(tmp_path / "venv", system_site_packages=True, with_pip=False)
    python = tmp_path / "venv" / "bin" / "python"
    run(str(python), "-m", "pip", "--disable-pip-version-check", "install", "--no-deps", "--no-index", str(wheel))
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    where = run(str(python), "-c", "import stagecast; print(stagecast.__file__)", cwd=tmp_path, env=env)
    assert where.startswith(str(tmp_path / "venv"))
    assert "check URL" in run(str(tmp_path / "venv" / "bin" / "stagecast"), "--help", cwd=tmp_path, env=env)
