"""Parses the body of an execute request."""
import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any, Dict, Mapping, Optional

from . import json_text
from .errors import Refusal

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Asked:
    """One request to run a stage. `digest` is the same for every repeat and cannot be read back."""

    stage: int
    job_id: str
    workflow_id: str
    user_id: str
    question: Optional[str]
    inputs: Dict[str, Any]
    run_id: Optional[str]
    upstream: Dict[str, Any]
    attempt: int
    digest: str


def read_asked(stage: int, body: bytes, headers: Mapping[str, str]) -> Asked:
    """Raises `Refusal` (400, 415 or 422) if the request does not follow the contract."""
    media_type = headers.get("content-type", "").split(";")[0].strip().lower()
    if media_type != "application/json":
        raise Refusal(415, "UNSUPPORTED_MEDIA_TYPE", "Send the body as application/json.")
    fields = _object(body)
    job_id = job_id_of(_string(fields, "job_id"))
    if not job_id:
        raise Refusal(400, "INVALID_JOB_ID", "job_id must be a UUID.")
    if headers.get("idempotency-key", job_id).strip().lower() != job_id:
        raise Refusal(400, "IDEMPOTENCY_KEY_MISMATCH", "Idempotency-Key and job_id must be the same UUID.")
    asked = {
        "workflow_id": _string(fields, "workflow_id"),
        "user_id": _string(fields, "user_id"),
        "question": _string(fields, "research_question", optional=True),
        "inputs": _mapping(fields, "inputs"),
    }
    digest = hashlib.sha256(json.dumps([stage, asked], sort_keys=True).encode()).hexdigest()
    return Asked(
        stage=stage,
        job_id=job_id,
        run_id=_string(fields, "run_id", optional=True),
        upstream=_mapping(fields, "upstream"),
        attempt=_attempt(headers.get("x-attempt", "")),
        digest=digest,
        **asked,
    )


def job_id_of(text: str) -> Optional[str]:
    """The ID in lower case, or None. It becomes a folder name, so only a plain UUID will do."""
    return text.lower() if UUID.fullmatch(text.lower()) else None


def _object(body: bytes) -> Dict[str, Any]:
    try:
        fields = json_text.decode(body)
    except ValueError:  # the error's text would quote the body
        raise Refusal(400, "INVALID_JSON", "The body is not valid JSON in UTF-8.") from None
    if not isinstance(fields, dict):
        raise Refusal(422, "INVALID_REQUEST", "The body must be a JSON object.")
    if json_text.too_deep(fields):
        message = f"The body is nested more than {json_text.MAX_DEPTH} levels deep."
        raise Refusal(422, "INVALID_REQUEST", message)
    return fields


def _string(fields: Dict[str, Any], name: str, optional: bool = False) -> Any:
    value = fields.get(name)
    if isinstance(value, str) or (optional and value is None):
        return value
    raise Refusal(422, "INVALID_REQUEST", f"{name} must be a string{' or null' if optional else ''}.")


def _mapping(fields: Dict[str, Any], name: str) -> Dict[str, Any]:
    value = fields.get(name)
    if value is None:
        return {}
    if isinstance(value, dict):
        return value
    raise Refusal(422, "INVALID_REQUEST", f"{name} must be an object.")


def _attempt(text: str) -> int:
    return int(text) if re.fullmatch(r"[1-9][0-9]{0,8}", text) else 1
