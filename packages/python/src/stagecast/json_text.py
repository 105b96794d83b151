"""JSON that every reader understands and reads back unchanged."""
import json
import math
from typing import Any

MAX_DEPTH = 200
MAX_INTEGER = 2**53

# JSON allows these unescaped, but some readers treat them as line breaks.
_LINE_ENDS = {"\u2028": "\\u2028", "\u2029": "\\u2029", "\u0085": "\\u0085"}


class Unfit(ValueError):
    """A value that cannot be sent as JSON. The message says where it is and what to do."""


def fit(value: Any, path: str, depth: int = 1) -> Any:
    """Returns a copy of `value` in plain JSON types; raises `Unfit`, with the place below `path`, if that is impossible.

    Tuples become lists and -0.0 becomes 0.0. Nothing else is converted.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(value, path)
    if isinstance(value, int):
        return _integer(int(value), path)
    if isinstance(value, float):
        return _number(float(value), path)
    if not isinstance(value, (dict, list, tuple)):
        kind = type(value).__name__
        raise Unfit(f"{path} is a {kind}, which JSON cannot represent; convert it to a string, number, list or dict.")
    if depth > MAX_DEPTH:
        raise Unfit(f"{_short(path)} is nested more than {MAX_DEPTH} levels deep; flatten it, or write it to a file.")
    if isinstance(value, dict):
        return {_key(key, path): fit(item, f"{path}/{key}", depth + 1) for key, item in value.items()}
    return [fit(item, f"{path}/{n}", depth + 1) for n, item in enumerate(value)]


def encode(value: Any) -> str:
    """Returns one line of JSON for plain types."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    for character, escaped in _LINE_ENDS.items():
        text = text.replace(character, escaped)
    return text


def decode(data: bytes) -> Any:
    """Parses UTF-8 JSON and skips a byte-order mark. Raises ValueError for everything else."""
    try:
        return json.loads(data.decode("utf-8-sig"), parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def too_deep(value: Any, depth: int = 1) -> bool:
    """Whether lists and objects are nested more than MAX_DEPTH levels deep."""
    if not isinstance(value, (dict, list)):
        return False
    items = value.values() if isinstance(value, dict) else value
    return depth > MAX_DEPTH or any(too_deep(item, depth + 1) for item in items)


def _text(value: str, path: str) -> str:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise Unfit(f"{path} contains half a surrogate pair, which UTF-8 cannot encode; decode its source correctly.") from None
    return str(value)


def _integer(value: int, path: str) -> int:
    if abs(value) > MAX_INTEGER:
        raise Unfit(f"{path} is an integer beyond 2^53, which JSON readers round; send it as a string.")
    return value


def _number(value: float, path: str) -> float:
    if not math.isfinite(value):
        raise Unfit(f"{path} is {value}, which JSON does not allow; use None for a missing value.")
    return value or 0.0


def _key(key: Any, path: str) -> str:
    if not isinstance(key, str):
        raise Unfit(f"{path} has the key {key!r}; keys must be strings, for example {str(key)!r}.")
    return _text(key, f"{path}, in one of its keys,")


def _short(path: str) -> str:
    return path if len(path) <= 80 else f"{path[:80]}…"


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
