"""`python -m stagecast check URL`"""
import argparse
import json
from typing import Any, Dict, List

from .call import Patience
from .report import Report
from .service import QUESTION, Options, check_service
from .wire import Unreachable

EPILOG = """exit status: 0 no faults, 1 faults, 2 the service cannot be reached or the command is wrong.

The check really runs each stage, about twice, and deletes its jobs afterwards if the service supports that."""


def main(arguments: List[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m stagecast check", epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Checks a stage service, in any language, against the contract and explains what is wrong.",
    )
    parser.add_argument("url", help="the address of the service, for example http://127.0.0.1:8000")
    parser.add_argument("--stage", type=int, action="append", default=[], metavar="N", help="a stage to run; may be repeated (default: those the service lists)")
    parser.add_argument("--question", default=QUESTION, help="the research question to ask")
    parser.add_argument("--inputs", type=_object, default={}, metavar="JSON", help='the stages\' inputs, \'{"max": 5}\' or by stage \'{"14": {"max": 5}}\'; @file reads a file')
    parser.add_argument("--upstream", type=_object, default={}, metavar="JSON", help="results of earlier stages, in the form of the contract's `upstream`; @file reads a file")
    parser.add_argument("--header", action="append", default=[], metavar="NAME:VALUE", help="a header for every request; may be repeated")
    parser.add_argument("--timeout", type=float, default=1800.0, metavar="S", help="longest wait for an answer to begin (default 1800)")
    parser.add_argument("--silence", type=float, default=60.0, metavar="S", help="longest silence in an answer that has begun (default 60)")
    parser.add_argument("--quick", action="store_true", help="run each stage only once, and skip disconnecting and joining")
    given = parser.parse_args(arguments)
    patience = Patience(given.timeout, given.silence)
    options = Options(given.stage, given.question, given.inputs, given.upstream, patience, given.quick)
    headers = dict(_header(parser, text) for text in given.header)
    report = Report()
    try:
        check_service(given.url, options, report, headers)
    except Unreachable as error:
        print(f"stagecast check: {error}")
        return 2
    except ValueError as error:
        parser.error(str(error))
    report.close()
    return 1 if report.faults else 0


def _object(text: str) -> Dict[str, Any]:
    try:
        if text.startswith("@"):
            with open(text[1:], encoding="utf-8") as file:
                text = file.read()
        value = json.loads(text)
    except (OSError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"not a JSON object: {error}") from None
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError("not a JSON object")
    return value


def _header(parser: argparse.ArgumentParser, text: str) -> "tuple[str, str]":
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        parser.error(f"--header must be NAME:VALUE, got {text!r}")
    return name.strip(), value.strip()
