"""RealWorld: the structure of the public API description 1.1.0, and answers compared with it.

`realworld.json` has its paths, parameters, status codes and schemas, without its texts.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

import httpx
from jsonschema import Draft202012Validator

__all__ = ["DESCRIPTION", "check_answer", "resolved"]

DESCRIPTION: Final[dict[str, Any]] = json.loads(
    Path(__file__).with_name("realworld.json").read_text()
)
BEYOND: Final = {403, 404, 405, 409, 413, 415, 429}
"""What RealWorld does not list, and its own backends answer with: in the form of its errors."""
ERROR: Final = {"$ref": "#/components/schemas/GenericErrorModel"}


def resolved(part: Any) -> Any:
    """Return a part of the description, or what it refers to."""
    while isinstance(part, dict) and "$ref" in part:
        reference = part["$ref"]
        part = DESCRIPTION
        for name in reference.removeprefix("#/").split("/"):
            part = part[name]
    return part


async def check_answer(answer: httpx.Response) -> None:
    """Hold an answer against the description, where it is of a path that is described."""
    operation = _operation(answer.request.method, answer.request.url.path.removeprefix("/api"))
    if operation is None:
        return
    listed = operation["responses"]
    status = answer.status_code
    assert str(status) in listed or status in BEYOND, f"{answer.request.url}: {status}"
    schema = _schema(listed, status)
    await answer.aread()
    if schema is None:
        assert not answer.content
        return
    validator = Draft202012Validator({**schema, "components": DESCRIPTION["components"]})
    faults = [
        f"{fault.json_path}: {fault.message}" for fault in validator.iter_errors(answer.json())
    ]
    assert not faults, f"{answer.request.method} {answer.request.url}: {faults}"


def _schema(listed: dict[str, Any], status: int) -> dict[str, Any] | None:
    if status >= 400:
        return ERROR  # also of a 401, for which the description has no form
    content = resolved(listed[str(status)])["content"]
    return content["application/json"]["schema"] if content else None


def _operation(method: str, path: str) -> dict[str, Any] | None:
    found = [
        template
        for template in DESCRIPTION["paths"]
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path)
    ]
    if not found:
        return None
    described = DESCRIPTION["paths"][min(found, key=lambda template: template.count("{"))]
    operation: dict[str, Any] | None = described.get(method.lower())
    return operation
