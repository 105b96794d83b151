"""Checks a whole service."""
from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Optional

from . import answer as judge
from . import strict
from .call import Patience, headers_for, path_of, request_for
from .report import Report
from .stage import StageCheck
from .wire import Answer, Broken, Wire, to_json

QUESTION = "What are the effects of intermittent fasting on cardiovascular health?"


@dataclass
class Options:
    """stages: which to run; if empty, those the service lists. inputs: for all stages, or by stage number."""

    stages: List[int] = field(default_factory=list)
    question: str = QUESTION
    inputs: Dict[str, Any] = field(default_factory=dict)
    upstream: Dict[str, Any] = field(default_factory=dict)
    patience: Patience = Patience()
    quick: bool = False

    def inputs_of(self, stage: int) -> Dict[str, Any]:
        by_stage = self.inputs and all(key.isdigit() for key in self.inputs)
        return self.inputs.get(str(stage), {}) if by_stage else self.inputs


def check_service(base: str, options: Options, report: Report, headers: Optional[Mapping[str, str]] = None) -> None:
    """Fills the report. Raises Unreachable if nothing listens there, and ValueError if `base` is not a URL."""
    wire = Wire(base.rstrip("/"), headers or {})
    report.at("service")
    _check_health(wire, report)
    listed = _list(wire, report)
    stages = options.stages or listed
    _check_unknown_stage(wire, {*stages, *listed}, report)
    if not stages:
        report.fault("it lists no stages, so none was run.", "Name them with --stage N, or answer GET /api/workflow/stages.")
    for stage in stages:
        inputs = options.inputs_of(stage)
        StageCheck(wire, stage, report, options.patience, options.question, inputs, options.upstream, options.quick).run()


def _check_health(wire: Wire, report: Report) -> None:
    answer = _get(wire, "/health", report)
    if answer and answer.status != 200:
        report.fault(f"GET /health is answered with {answer.status}.", "Answer it with 200 while the service can work.")
    elif answer:
        report.ok("GET /health answers 200")


def _list(wire: Wire, report: Report) -> List[int]:
    answer = _get(wire, "/api/workflow/stages", report)
    if not answer:
        return []
    if answer.status in (404, 405):
        report.note("it does not list its stages (optional)")
        return []
    mend = 'Answer with [{ "stage": 14, "version": "3" }], or with 404.'
    if answer.status != 200:
        report.fault(f"GET /api/workflow/stages is answered with {answer.status}.", mend)
        return []
    value, complaints = strict.read(answer.body)
    if complaints or not isinstance(value, list):
        report.fault("GET /api/workflow/stages does not answer with a JSON list.", mend)
        return []
    stages = []
    for entry in value:
        number = entry.get("stage") if isinstance(entry, dict) else None
        if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= 999 or number in stages:
            report.fault(f"GET /api/workflow/stages has the entry {ascii(entry)[:80]}, whose `stage` is not a unique number from 1 to 999.", mend)
            continue
        if not isinstance(entry.get("version"), (str, type(None))):
            report.fault(f"GET /api/workflow/stages: the version of stage {number} is not a string.", mend)
        stages.append(number)
    report.ok(f"it lists these stages: {', '.join(map(str, stages)) or 'none'}")
    return stages


def _check_unknown_stage(wire: Wire, known: "set[int]", report: Report) -> None:
    unknown = next(number for number in range(999, 0, -1) if number not in known)
    asked = request_for(QUESTION, {}, {})
    try:
        answer = wire.post(path_of(unknown), to_json(asked), headers_for(asked))
    except Broken as error:
        report.fault(f"stage {unknown}, which does not exist: the connection {error}.", "Answer it with 404.")
        return
    judge.judge_refusal(answer, "a stage that does not exist", [404], report)


def _get(wire: Wire, path: str, report: Report) -> Optional[Answer]:
    try:
        return wire.get(path)
    except Broken as error:
        report.fault(f"GET {path}: the connection {error}.", "Answer it at once.")
        return None
