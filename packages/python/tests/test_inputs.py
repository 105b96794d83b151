"""Inputs by dataclass, function and Pydantic model; invalid ones get a 422 with path and reason."""
import dataclasses
import enum
from dataclasses import dataclass, field
from typing import Any, Dict, FrozenSet, List, Literal, Mapping, Optional, Sequence, Set, Tuple, Union

import pytest
from client import execute_json, last, request
from stagecast.errors import Refusal
from stagecast.inputs import check_inputs, inputs_schema

pydantic = pytest.importorskip("pydantic")


def refused(port, stage, inputs):
    status, answer = execute_json(port, stage, request(inputs=inputs))
    assert status == 422 and answer["detail"]["code"] == "INVALID_INPUTS", answer
    return answer["detail"]["message"]


def test_dataclass(one_server):
    good = {"population": {"name": "adults"}, "years": [2020], "weight": 2}
    assert last(one_server.port, 14, request(inputs=good))["results"] == {"name": "adults", "years": [2020], "kind": "float"}
    for inputs, message in [
        ({}, "inputs/population is missing."),
        ({"population": {}}, "inputs/population/name is missing."),
        ({"population": {"name": 7}}, "inputs/population/name must be a string."),
        ({**good, "years": ["2020"]}, "inputs/years/0 must be an integer."),
        ({**good, "years": [True]}, "inputs/years/0 must be an integer."),
        ({**good, "years": 2020}, "inputs/years must be a list."),
        ({**good, "weight": -1}, "inputs: weight must be 0 or more"),
        ({**good, "note": 7}, "inputs/note must be a string."),
        ({**good, "tags": {"a": 1}}, "inputs/tags/a must be a string."),
        ({**good, "wieght": 1}, "inputs/wieght is unknown; inputs may have population, years, weight, note, tags."),
    ]:
        assert refused(one_server.port, 14, inputs) == message
    assert last(one_server.port, 14, request(inputs={**good, "note": None}))["success"] is True


def test_function(one_server):
    assert last(one_server.port, 15, request(inputs={"n": 4}))["results"] == {"n": 8}
    assert refused(one_server.port, 15, {}) == "inputs: n is missing"
    status, answer = execute_json(one_server.port, 15, request(inputs={"crash": 1}))
    assert (status, answer["detail"]["code"]) == (500, "INPUTS_CHECK_FAILED")


def test_pydantic(one_server):
    assert last(one_server.port, 16, request(inputs={"year_from": 2000}))["results"] == {"year_from": 2000}
    message = refused(one_server.port, 16, {"year_from": 1500, "sources": "no list"})
    assert "inputs/year_from: " in message and "inputs/sources: " in message and "1500" not in message.replace("1900", "")
    assert "inputs/year_from: " in refused(one_server.port, 16, {})


def test_bad_inputs_are_refused_before_the_answer_begins(one_server):
    from client import Call

    call = Call(one_server.port, 15, request()).begin()
    assert call.status == 422
    call.connection.close()


class Size(enum.Enum):
    SMALL = "s"
    LARGE = "l"


@dataclass
class Everything:
    size: Size
    kind: Literal["a", 2]
    pair: Tuple[int, str]
    many: Tuple[int, ...] = ()
    names: Set[str] = field(default_factory=set)
    frozen: FrozenSet[int] = frozenset()
    either: Union[int, List[str]] = 0
    items: Sequence[Any] = ()
    table: Mapping[str, List[float]] = field(default_factory=dict)
    bare: dict = field(default_factory=dict)
    anything: Any = None
    described: Optional[int] = field(default=None, metadata={"description": "How many."})
    hidden: int = field(default=0, init=False)


LEAST = {"size": "s", "kind": 2, "pair": [1, "x"]}


def test_what_types_become():
    made = check_inputs(Everything, {**LEAST, "many": [1, 2], "names": ["a"], "either": ["x"], "table": {"a": [1]}})
    assert made == Everything(Size.SMALL, 2, (1, "x"), (1, 2), {"a"}, either=["x"], table={"a": [1.0]})


@pytest.mark.parametrize("change, message", [
    ({"size": "m"}, "inputs/size must be one of 's', 'l'."), ({"kind": "b"}, "inputs/kind must be one of 'a', 2."),
    ({"kind": 2.0}, "inputs/kind must be one of 'a', 2."), ({"pair": [1]}, "inputs/pair must have 2 items, got 1."),
    ({"either": "x"}, "inputs/either must be an integer. Or: inputs/either must be a list."), ({"bare": []}, "inputs/bare must be an object."),
    ({"hidden": 1}, "inputs/hidden is unknown"), ({"described": 1.5}, "inputs/described must be an integer."),
])
def test_what_does_not_fit(change, message):
    with pytest.raises(Refusal) as caught:
        check_inputs(Everything, {**LEAST, **change})
    assert caught.value.status == 422 and message in caught.value.message


def test_schema_of_a_dataclass():
    schema = inputs_schema(Everything)
    assert schema["required"] == ["size", "kind", "pair"] and schema["additionalProperties"] is False
    properties = schema["properties"]
    assert properties["size"] == {"enum": ["s", "l"]} and properties["kind"] == {"enum": ["a", 2]}
    assert properties["pair"] == {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "items": False, "minItems": 2, "maxItems": 2}
    assert properties["many"] == {"type": "array", "items": {"type": "integer"}, "default": []}
    assert properties["either"] == {"anyOf": [{"type": "integer"}, {"type": "array", "items": {"type": "string"}}], "default": 0}
    assert properties["table"] == {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "number"}}, "default": {}}
    assert properties["described"] == {"anyOf": [{"type": "integer"}, {"type": "null"}], "description": "How many.", "default": None}
    assert "hidden" not in properties


def test_schema_of_a_pydantic_model():
    class Inner(pydantic.BaseModel):
        n: int

    class Outer(pydantic.BaseModel):
        inner: Inner
        year: pydantic.conint(ge=1900) = 2000

    schema = inputs_schema(Outer)
    assert "definitions" not in schema and schema["$defs"]["Inner"]["required"] == ["n"]
    assert "#/$defs/Inner" in str(schema["properties"]["inner"]) and schema["properties"]["year"]["minimum"] == 1900


def test_no_schema_of_a_function():
    assert inputs_schema(lambda inputs: inputs) is None and inputs_schema(None) is None


def test_a_type_that_cannot_be_checked_is_said():
    @dataclass
    class Odd:
        when: complex

    with pytest.raises(Refusal) as caught:
        check_inputs(Odd, {"when": 1})
    assert caught.value.code == "INPUTS_CHECK_FAILED"


def test_pydantic_dataclass():
    @pydantic.dataclasses.dataclass
    class Checked:
        n: int

    assert check_inputs(Checked, {"n": 1}).n == 1
    with pytest.raises(Refusal) as caught:
        check_inputs(Checked, {"n": "x"})
    assert caught.value.status == 422 and dataclasses.is_dataclass(Checked)
