"""Describes a service's stages for a catalogue (STAGES_FILE): `python -m stagecast describe`."""
import argparse
import importlib
import json
import os
import sys
from typing import Any, Dict, List

from .inputs import inputs_schema
from .registry import Registry
from .stages import Stages


def describe(registry: Registry) -> List[Dict[str, Any]]:
    """One entry per stage: stage, slug, title, its other registered fields, version, and inputs as JSON Schema."""
    entries = []
    for number in sorted(registry):
        stage = registry[number]
        entry: Dict[str, Any] = {"stage": number, **stage.entry}
        if stage.version is not None:
            entry["version"] = stage.version
        schema = inputs_schema(stage.inputs)
        if schema is not None:
            entry["inputs"] = schema
        entries.append(entry)
    return entries


def main(arguments: List[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m stagecast describe",
        description='Prints { "stages": [ … ] }, ready to save as the STAGES_FILE or copy into it.',
    )
    parser.add_argument("application", metavar="MODULE:NAME", help="where the Stages are, for example service:stages")
    given = parser.parse_args(arguments)
    try:
        stages = _load(given.application)
    except _NotFound as error:
        print(f"stagecast describe: {error}", file=sys.stderr)
        return 1
    print(json.dumps({"stages": describe(stages.registry)}, indent=2, ensure_ascii=False))
    return 0


class _NotFound(Exception):
    pass


def _load(text: str) -> Stages:
    module_name, colon, name = text.partition(":")
    if not colon or not module_name or not name:
        raise _NotFound(f"pass MODULE:NAME, for example service:stages; got {text!r}")
    sys.path.insert(0, os.getcwd())
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise _NotFound(f"found no module {error.name!r} here ({os.getcwd()})") from None
    found: Any = module
    for part in name.split("."):
        found = getattr(found, part, None)
    if not isinstance(found, Stages):
        there = [key for key, value in vars(module).items() if isinstance(value, Stages)]
        hint = f"; it has {', '.join(there)}" if there else ""
        raise _NotFound(f"{module_name} has no Stages named {name!r}{hint}")
    return found
