"""Reads JSON as strictly as the strictest reader in the contract."""
import json
from typing import Any, List, Tuple

from ..json_text import MAX_DEPTH, MAX_INTEGER

Complaint = Tuple[str, str]

_NUMBER = "send it as a string, or rounded to double precision"


def read(data: bytes) -> "tuple[Any, List[Complaint]]":
    """Returns the value, or None, and what is wrong with the text, each with a fix."""
    complaints: List[Complaint] = []

    def whole(text: str) -> int:
        if abs(int(text)) > MAX_INTEGER:
            complaints.append((f"it has the integer {text[:40]}, beyond 2^53, which JSON readers round", _NUMBER))
        if text == "-0":
            complaints.append(("it has the number -0, which JSON readers turn into 0", "send 0 without the minus"))
        return int(text)

    def broken(text: str) -> float:
        value = float(text)
        lost = value in (float("inf"), float("-inf")) or (value == 0 and any(d in "123456789" for d in text.lower().split("e")[0]))
        if lost:
            complaints.append((f"it has the number {text[:40]}, which does not fit a double", _NUMBER))
        elif value == 0 and text.startswith("-"):
            complaints.append((f"it has the number {text[:40]}, which JSON readers turn into 0", "send 0, without the minus"))
        return value

    def constant(text: str) -> None:
        complaints.append((f"it has {text}, which is not JSON", "send null for what is missing"))

    def pairs(items: List[Tuple[str, Any]]) -> Any:
        made = dict(items)
        if len(made) < len(items):
            names = [name for name, _ in items]
            twice = next(name for name in names if names.count(name) > 1)
            complaints.append((f"it has the key {ascii(twice)[:60]} twice in one object", "give each key once"))
        return made

    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None, [("it is not UTF-8", "encode it as UTF-8")]
    try:
        value = json.loads(text, parse_int=whole, parse_float=broken, parse_constant=constant, object_pairs_hook=pairs)
    except RecursionError:
        return None, [(f"it is nested more than {MAX_DEPTH} levels deep", "flatten it, or write it to a file")]
    except ValueError as error:
        shown = text.strip()[:60]
        return None, [(f"it is not JSON: {ascii(shown)} ({error})", "write one JSON object with a JSON library")]
    complaints.extend(_walk(value, 1))
    return value, complaints


def _walk(value: Any, depth: int) -> List[Complaint]:
    if isinstance(value, str):
        try:
            value.encode("utf-8")
            return []
        except UnicodeEncodeError:
            return [("a string in it contains half a surrogate pair", "decode the text correctly before sending it")]
    if not isinstance(value, (dict, list)):
        return []
    if depth > MAX_DEPTH:
        return [(f"it is nested more than {MAX_DEPTH} levels deep", "flatten it, or write it to a file")]
    items = [*value, *value.values()] if isinstance(value, dict) else value
    return [complaint for item in items for complaint in _walk(item, depth + 1)]
