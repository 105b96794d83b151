"""The supported part of the Range header: one range of bytes (RFC 9110, section 14)."""
import re
from typing import Optional, Tuple

from .errors import Refusal


def parse_range(header: Optional[str], size: int) -> Optional[Tuple[int, int]]:
    """First and last byte, inclusive. None: send everything, as for several ranges or an unreadable header.

    Raises Refusal 416 for a range beyond the end.
    """
    match = re.fullmatch(r"bytes=([0-9]{0,15})-([0-9]{0,15})", (header or "").strip())
    if not match or not any(match.groups()):
        return None
    first, last = match.groups()
    if first == "":
        start, end = size - min(int(last), size), size - 1
    else:
        start, end = int(first), min(int(last), size - 1) if last else size - 1
        if last and int(last) < start:
            return None
    if start >= size:
        headers = {"content-range": f"bytes */{size}"}
        raise Refusal(416, "RANGE_NOT_SATISFIABLE", f"The artifact has {size} bytes.", headers)
    return start, end
