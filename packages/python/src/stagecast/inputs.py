"""Checks a stage's own inputs against whatever its author passed as `inputs=`."""
import dataclasses
from typing import Any, Callable, Dict, Optional

from . import typed
from .errors import Refusal
from .log import tell_crash


def check_inputs(spec: Optional[Callable[..., Any]], inputs: Dict[str, Any]) -> Any:
    """Returns the stage's `job.inputs`: the dict itself, or what `spec` makes of it.

    Raises Refusal 422 `INVALID_INPUTS` for every ValueError of `spec`.
    """
    if spec is None:
        return inputs
    try:
        return _make(spec, inputs)
    except typed.Invalid as error:
        raise _refusal(str(error)) from None
    except ValueError as error:
        raise _refusal(_words(error)) from None
    except Exception as error:
        tell_crash("the input check", error)
        message = f"The input check raised {type(error).__name__}; it must raise ValueError for bad inputs."
        raise Refusal(500, "INPUTS_CHECK_FAILED", message) from None


def inputs_schema(spec: Optional[Callable[..., Any]]) -> Optional[Dict[str, Any]]:
    """Derives a JSON Schema from `spec` if possible: from a Pydantic model or a dataclass."""
    if _is_pydantic(spec):
        schema = getattr(spec, "model_json_schema", None) or getattr(spec, "schema")
        return _with_defs(schema())
    if isinstance(spec, type) and dataclasses.is_dataclass(spec):
        return typed.schema(spec)
    return None


def _make(spec: Callable[..., Any], inputs: Dict[str, Any]) -> Any:
    if _is_pydantic(spec):
        validate = getattr(spec, "model_validate", None) or getattr(spec, "parse_obj")
        return validate(inputs)
    if isinstance(spec, type) and dataclasses.is_dataclass(spec):
        if hasattr(spec, "__pydantic_validator__") or hasattr(spec, "__pydantic_model__"):
            return spec(**inputs)
        return typed.build(spec, inputs, "inputs")
    return spec(inputs)


def _is_pydantic(spec: Any) -> bool:
    return isinstance(spec, type) and (hasattr(spec, "model_validate") or hasattr(spec, "parse_obj"))


def _words(error: ValueError) -> str:
    """Pydantic's errors quote the request; use only their locations and reasons."""
    if callable(getattr(error, "errors", None)):
        faults = error.errors()  # type: ignore[attr-defined]
        lines = ["/".join(["inputs", *map(str, fault.get("loc", ()))]) + f": {fault.get('msg')}" for fault in faults]
        return "; ".join(lines[:5]) + (f"; and {len(lines) - 5} more" if len(lines) > 5 else "") + "."
    return f"inputs: {error}" if str(error) else "inputs are not valid."


def _refusal(message: str) -> Refusal:
    return Refusal(422, "INVALID_INPUTS", message.encode("utf-8", "replace").decode("utf-8"))


def _with_defs(schema: Any) -> Any:
    """Pydantic 1 writes `definitions`; JSON Schema 2020-12 calls it `$defs`."""
    if isinstance(schema, list):
        return [_with_defs(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    moved = {}
    for key, value in schema.items():
        if key == "$ref" and isinstance(value, str):
            value = value.replace("#/definitions/", "#/$defs/")
        moved["$defs" if key == "definitions" and isinstance(value, dict) else key] = _with_defs(value)
    return moved
