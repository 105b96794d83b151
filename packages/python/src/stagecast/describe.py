"""What a catalogue (STAGES_FILE) says of the stages that a service has."""
from typing import Any, Dict, List

from .inputs import inputs_schema
from .registry import Registry


def describe(registry: Registry) -> List[Dict[str, Any]]:
    """One entry a stage: stage, slug, title, whatever else it was registered with, version, inputs as JSON Schema."""
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
