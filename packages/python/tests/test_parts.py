"""Independent parts: JSON, locks, feeds, media types, and importing the package."""
import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from server import SRC
from stagecast import json_text
from stagecast.feed import Feed, read_along
from stagecast.locks import try_lock
from stagecast.media_types import media_type_of


def test_what_json_keeps():
    value = {"a": (1, 2.5, None, True), "ü": "\u2028\u2029\u0085\x7f\n", "zero": -0.0, "most": 2**53, "least": -(2**53)}
    text = json_text.encode(json_text.fit(value, "results"))
    assert len(text.splitlines()) == 1
    assert json_text.decode(text.encode()) == {**value, "a": [1, 2.5, None, True]} and "-0" not in text.replace("-0.", "")


def test_a_nesting_of_200_is_the_limit():
    def nest(levels):
        value = 1
        for _ in range(levels):
            value = [value]
        return value

    assert json_text.fit(nest(200), "x") == nest(200) and not json_text.too_deep(nest(200))
    assert json_text.too_deep(nest(201))
    with pytest.raises(json_text.Unfit):
        json_text.fit(nest(201), "x")


def test_subclasses_become_plain():
    class Text(str):
        pass

    class Number(int):
        pass

    made = json_text.fit({Text("a"): Text("b"), "n": Number(3)}, "x")
    assert [type(each) for item in made.items() for each in item] == [str, str, str, int]


@pytest.mark.parametrize("data", [b"", b"NaN", b"[1", b"\xff", b"[" * 100_000, b'{"a": Infinity}'])
def test_what_cannot_be_read(data):
    with pytest.raises(ValueError):
        json_text.decode(data)


def test_a_lock_is_one_of_one(tmp_path):
    path = tmp_path / "x.lock"
    lock = try_lock(path)
    assert lock and try_lock(path) is None
    lock.release()
    assert not path.exists()
    again = try_lock(path)
    assert again
    again.release()


def test_a_lock_ends_with_its_process(tmp_path):
    path = tmp_path / "x.lock"
    code = f"import sys; sys.path.insert(0, {str(SRC)!r})\nfrom pathlib import Path\nfrom stagecast.locks import try_lock\n"
    code += f"assert try_lock(Path({str(path)!r})); print('held', flush=True); sys.stdin.read()"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stdin=subprocess.PIPE)
    assert process.stdout.readline() == b"held\n"
    assert try_lock(path) is None
    process.kill()
    process.wait()
    lock = try_lock(path)
    assert lock
    lock.release()
    process.stdout.close()
    process.stdin.close()


def test_a_feed_and_its_readers(tmp_path):
    path = tmp_path / "x.feed"
    assert read_along(path) is None
    feed = Feed(path, "d")
    reader = read_along(path)
    assert reader.read() == [{"digest": "d"}] and reader.read() == []
    feed.append({"n": 1})
    feed.append({"text": "ü\n"})
    assert reader.read() == [{"n": 1}, {"text": "ü\n"}] and reader.is_current()
    assert feed.close_to_readers() is False
    reader.close()
    assert feed.close_to_readers() is True and read_along(path) is None
    feed.append({"type": "result"})
    feed.close()
    assert not path.exists()


def test_a_reader_of_a_replaced_feed_notices(tmp_path):
    path = tmp_path / "x.feed"
    Feed(path, "old")
    reader = read_along(path)
    Feed(path, "new")
    assert reader.read() == [{"digest": "old"}] and not reader.is_current()
    reader.close()


@pytest.mark.parametrize("name, kind", [
    ("a.JSON", "application/json"), ("a.tar.gz", "application/octet-stream"), ("a", "application/octet-stream"), (".csv", "application/octet-stream"),
    ("a.png", "image/png"), ("a.pdf", "application/pdf"), ("ü.html", "text/html"), ("a.", "application/octet-stream"),
])
def test_media_types(name, kind):
    assert media_type_of(name) == kind


def test_nothing_newer_than_python_3_9():
    for path in sorted(Path(SRC).rglob("*.py")):
        ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 9))


def test_only_the_standard_library_is_imported():
    code = f"import sys; sys.path.insert(0, {str(SRC)!r}); import stagecast, stagecast.__main__, stagecast.check, stagecast.describe\n"
    code += "print(sorted({getattr(m, '__file__', None) or '' for m in sys.modules.values() if 'site-packages' in (getattr(m, '__file__', None) or '') or 'dist-packages' in (getattr(m, '__file__', None) or '')}))"
    assert subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_import_makes_nothing(tmp_path):
    code = f"import sys; sys.path.insert(0, {str(SRC)!r}); from stagecast import Stages; Stages(data='data')"
    subprocess.run([sys.executable, "-B", "-c", code], cwd=tmp_path, check=True)
    assert os.listdir(tmp_path) == []
