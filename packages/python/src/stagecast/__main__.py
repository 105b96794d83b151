"""`python -m stagecast check URL` and `python -m stagecast describe module:stages`."""
import sys
from typing import List, Optional

USAGE = """usage: python -m stagecast check URL [--stage N …]       check a stage service against the contract
       python -m stagecast describe MODULE:NAME         print its stages for a STAGES_FILE

Each has --help."""


def main(arguments: Optional[List[str]] = None) -> int:
    given = sys.argv[1:] if arguments is None else arguments
    command, rest = (given[0], given[1:]) if given else ("", [])
    if command == "check":
        from .check import main as check

        return check(rest)
    if command == "describe":
        from .describe import main as describe

        return describe(rest)
    print(USAGE, file=sys.stdout if command in ("-h", "--help") else sys.stderr)
    return 0 if command in ("-h", "--help") else 2


if __name__ == "__main__":
    sys.exit(main())
