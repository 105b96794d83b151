"""Dataclasses as a description of JSON: checks a value against one, and derives its JSON Schema.

Only values whose type JSON lacks are converted: a list to the tuple or set of the field, a string to the
Enum member, an object to the nested dataclass. An integer is a valid float; "7" is not a valid int.
"""
import collections.abc
import dataclasses
import enum
import types
import typing
from typing import Any, Dict

from .json_text import Unfit

_PLAIN = {str: ("a string", "string"), bool: ("true or false", "boolean"), int: ("an integer", "integer"),
          float: ("a number", "number"), type(None): ("null", "null")}
_UNIONS = (typing.Union, getattr(types, "UnionType", typing.Union))
_LISTS = {list: list, tuple: tuple, set: set, frozenset: frozenset, collections.abc.Sequence: list}
_DICTS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)


class Invalid(ValueError):
    """The value does not match; the message begins with its path, such as `inputs/year_from`."""


def build(kind: type, value: Any, path: str) -> Any:
    """Creates an instance of the dataclass `kind` from a JSON object."""
    if not isinstance(value, dict):
        raise Invalid(f"{path} must be an object.")
    hints = typing.get_type_hints(kind)
    fields = {field.name: field for field in dataclasses.fields(kind) if field.init}
    for name in value:
        if name not in fields:
            raise Invalid(f"{path}/{name} is unknown; {path} may have {', '.join(fields) or 'no fields'}.")
    for name, field in fields.items():
        if name not in value and is_required(field):
            raise Invalid(f"{path}/{name} is missing.")
    made = {name: convert(hints[name], item, f"{path}/{name}") for name, item in value.items()}
    try:
        return kind(**made)
    except Invalid:
        raise
    except ValueError as error:  # from its __post_init__
        raise Invalid(f"{path}: {error}") from None


def convert(hint: Any, value: Any, path: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any or isinstance(hint, typing.TypeVar):
        return value
    if origin is getattr(typing, "Annotated", object()):
        return convert(arguments[0], value, path)
    if origin in _UNIONS:
        return _first_that_fits(arguments, value, path)
    if origin is typing.Literal:
        return _one_of(arguments, arguments, value, path)
    if dataclasses.is_dataclass(hint):
        return build(hint, value, path)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return _one_of([member.value for member in hint], list(hint), value, path)
    if (origin or hint) in _LISTS:
        return _list(origin or hint, arguments, value, path)
    if (origin or hint) in _DICTS:
        return _dict(arguments, value, path)
    return _plain(hint, value, path)


def schema(hint: Any) -> Dict[str, Any]:
    """JSON Schema 2020-12 for a type hint; {} (anything) for an unknown type."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is getattr(typing, "Annotated", object()):
        return schema(arguments[0])
    if origin in _UNIONS:
        return {"anyOf": [schema(each) for each in arguments]}
    if origin is typing.Literal:
        return {"enum": list(arguments)}
    if dataclasses.is_dataclass(hint):
        return _object_schema(hint)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return {"enum": [member.value for member in hint]}
    if (origin or hint) in _LISTS:
        return _list_schema(origin or hint, arguments)
    if (origin or hint) in _DICTS:
        items = schema(arguments[1]) if len(arguments) == 2 else {}
        return {"type": "object", **({"additionalProperties": items} if items else {})}
    return {"type": _PLAIN[hint][1]} if hint in _PLAIN else {}


def is_required(field: "dataclasses.Field[Any]") -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def default_of(field: "dataclasses.Field[Any]") -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def _first_that_fits(hints: Any, value: Any, path: str) -> Any:
    faults = []
    for hint in hints:
        try:
            return convert(hint, value, path)
        except Invalid as error:
            faults.append(error)
    others = [fault for fault, hint in zip(faults, hints) if hint is not type(None)]
    if len(others) == 1:
        raise others[0]
    raise Invalid(" Or: ".join(str(fault) for fault in others))


def _one_of(allowed: Any, meant: Any, value: Any, path: str) -> Any:
    for each, result in zip(allowed, meant):
        if type(each) is type(value) and each == value:
            return result
    raise Invalid(f"{path} must be one of {', '.join(map(repr, allowed))}.")


def _list(kind: Any, arguments: Any, value: Any, path: str) -> Any:
    if not isinstance(value, list):
        raise Invalid(f"{path} must be a list.")
    if kind is tuple and arguments and arguments[-1] is not Ellipsis:
        if len(value) != len(arguments):
            raise Invalid(f"{path} must have {len(arguments)} items, got {len(value)}.")
        return tuple(convert(hint, item, f"{path}/{n}") for n, (hint, item) in enumerate(zip(arguments, value)))
    hint = arguments[0] if arguments else Any
    return _LISTS[kind](convert(hint, item, f"{path}/{n}") for n, item in enumerate(value))


def _list_schema(kind: Any, arguments: Any) -> Dict[str, Any]:
    if kind is tuple and arguments and arguments[-1] is not Ellipsis:
        count = len(arguments)
        items = [schema(each) for each in arguments]
        return {"type": "array", "prefixItems": items, "items": False, "minItems": count, "maxItems": count}
    items = schema(arguments[0]) if arguments else {}
    return {"type": "array", **({"items": items} if items else {})}


def _dict(arguments: Any, value: Any, path: str) -> Any:
    if not isinstance(value, dict):
        raise Invalid(f"{path} must be an object.")
    hint = arguments[1] if len(arguments) == 2 else Any
    return {name: convert(hint, item, f"{path}/{name}") for name, item in value.items()}


def _plain(hint: Any, value: Any, path: str) -> Any:
    if hint not in _PLAIN:
        raise TypeError(f"{path}: inputs cannot be checked against {hint!r}; pass your own function to stage().")
    fits = type(value) is hint or (hint is float and type(value) is int)
    if not fits:
        raise Invalid(f"{path} must be {_PLAIN[hint][0]}.")
    return float(value) if hint is float else value


def _object_schema(kind: Any) -> Dict[str, Any]:
    from .json_text import fit

    hints = typing.get_type_hints(kind)
    fields = [field for field in dataclasses.fields(kind) if field.init]
    properties: Dict[str, Any] = {}
    for field in fields:
        described = schema(hints[field.name])
        if "description" in field.metadata:
            described["description"] = field.metadata["description"]
        if not is_required(field):
            try:
                described["default"] = fit(_as_json(default_of(field)), field.name)
            except Unfit:
                pass  # leave out a default that JSON cannot express
        properties[field.name] = described
    required = [field.name for field in fields if is_required(field)]
    made: Dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**made, "required": required} if required else made


def _as_json(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _as_json(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=repr)
    return value
