"""Collects the findings of the check."""
import sys
from typing import List, NamedTuple, Optional, TextIO


class Fault(NamedTuple):
    where: str
    what: str
    mend: str


class Report:
    """Collects faults, without duplicates, and prints them as they are found."""

    def __init__(self, out: Optional[TextIO] = None):
        self._out = out or sys.stdout
        self.faults: List[Fault] = []
        self.where = "service"

    def at(self, where: str) -> None:
        """Names the subject of the next findings."""
        self.where = where

    def fault(self, what: str, mend: str) -> None:
        fault = Fault(self.where, what, mend)
        if fault not in self.faults:
            self.faults.append(fault)
            self._print(f"FAULT  {self.where}: {what}\n       Fix: {mend}")

    def ok(self, what: str) -> None:
        self._print(f"ok     {self.where}: {what}")

    def note(self, what: str) -> None:
        """Reports something worth knowing that is not a fault."""
        self._print(f"note   {self.where}: {what}")

    def close(self) -> None:
        count = len(self.faults)
        self._print(f"\n{count} fault{'' if count == 1 else 's'}" if count else "\nNo faults.")

    def _print(self, text: str) -> None:
        # A service's text may contain anything; print what the terminal can show.
        encoding = getattr(self._out, "encoding", None) or "utf-8"
        print(text.encode(encoding, "backslashreplace").decode(encoding), file=self._out, flush=True)
