"""Checks one stage."""
import threading
from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional

from . import answer as judge
from .call import LINES, Object, Patience, call, headers_for, open_call, path_of, request_for
from .files import check_delete, check_files, check_missing
from .report import Report
from .wire import Answer, Broken, Unreachable, Wire, to_json


@dataclass
class StageCheck:
    """question, inputs, upstream: sent to the stage. quick: run it only once."""

    wire: Wire
    stage: int
    report: Report
    patience: Patience
    question: str
    inputs: Object
    upstream: Object
    quick: bool = False
    made: Dict[str, Object] = field(default_factory=dict)

    def run(self) -> None:
        self.report.at(f"stage {self.stage}")
        asked = self._request()
        result = call(self.wire, self.stage, asked, self.patience, self.report)
        self._check_bad_requests()
        if result is None:
            return
        self.made[asked["job_id"]] = result
        self.report.ok("it ran and answered with a result")
        check_files(self.wire, asked["job_id"], result, self.report)
        check_missing(self.wire, asked["job_id"], self.report)
        self._check_repeat(asked, result)
        self._check_other_request(asked)
        if not self.quick:
            self._check_hang_up_and_join()
        for job_id, made in self.made.items():
            check_delete(self.wire, job_id, made, self.report)

    def _request(self) -> Object:
        return request_for(self.question, self.inputs, self.upstream)

    def _check_repeat(self, asked: Object, first: Object) -> None:
        """A retry after a lost answer: the same key must give the same result without a second run."""
        for form, accept in (("as lines", LINES), ("as one JSON object", "application/json")):
            again = call(self.wire, self.stage, asked, self.patience, self.report, attempt=2, accept=accept)
            if again is not None:
                self._compare(f"the same job, requested again {form},", first, again)

    def _compare(self, who: str, first: Object, again: Object) -> None:
        mend = "Store the result under the Idempotency-Key and return it for a repeat, without running again."
        differ = sorted(name for name in {*first, *again} if first.get(name) != again.get(name))
        if differ == ["duration_ms"]:
            self.report.fault(f"{who} ran twice: duration_ms differs.", mend)
        elif differ:
            self.report.fault(f"{who} got a different result: {', '.join(differ)} differ.", mend)
        else:
            self.report.ok(f"{who} got the same result")

    def _check_other_request(self, asked: Object) -> None:
        other = {**asked, "research_question": f"{self.question} (another)"}
        answer = self._ask(to_json(other), headers_for(asked), "another request under a key already used")
        if answer:
            judge.judge_refusal(answer, "another request under a key already used", [409, 422], self.report)

    def _check_bad_requests(self) -> None:
        asked = self._request()
        bad = {
            "a body that is not JSON": b'{"job_id":',
            "an empty object": b"{}",
            "a job_id that is a number": to_json({**asked, "job_id": 7}),
        }
        for what, body in bad.items():
            answer = self._ask(body, headers_for(asked), what)
            if answer:
                judge.judge_refusal(answer, what, [400, 422], self.report)

    def _ask(self, body: bytes, headers: Dict[str, str], what: str) -> Optional[Answer]:
        try:
            return self.wire.post(path_of(self.stage), body, headers, max(self.patience.silence, 1.0))
        except Broken as error:
            self.report.fault(f"{what}: the connection {error}.", "Refuse it at once with status 400 or 422.")
            return None

    def _check_hang_up_and_join(self) -> None:
        """Disconnects after the first line, then requests the same job twice at once: both must get one result."""
        asked = self._request()
        try:
            with open_call(self.wire, self.stage, asked, self.patience) as stream:
                next(stream.chunks(self.patience.silence), b"")
        except Broken as error:
            self.report.fault(f"the connection {error}.", "Begin every answer, including that of a second job.")
            return
        results: List[Optional[Object]] = [None, None]
        lost: List[Any] = []

        def ask(n: int) -> None:
            try:
                results[n] = call(self.wire, self.stage, asked, self.patience, self.report, attempt=2)
            except Unreachable as error:
                lost.append(error)

        threads = [threading.Thread(target=ask, args=(n,), daemon=True) for n in (0, 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        one, two = results
        if lost or one is None or two is None:
            self.report.fault(
                "after a caller disconnected, two simultaneous requests for the same job did not both get a result.",
                "Stop the work when the last caller disconnects and restart it for the next; let a second caller join the first.",
            )
            return
        self.made[asked["job_id"]] = one
        self._compare("the same job, requested twice at once after a disconnect,", one, two)
