"""The OpenAPI document of the example against the public description of RealWorld."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fastforge import Project

from .people import manage
from .realworld import DESCRIPTION, resolved

ADDITIONS = json.loads(Path(__file__).with_name("additions.json").read_text())
"""What our document has and the description has not, each with its reason: read it in a review."""


@pytest.fixture
def document(project: Project) -> dict[str, Any]:
    """Our document, its paths as the description writes them."""
    document: dict[str, Any] = json.loads(manage(project, "openapi"))
    paths = document["paths"]
    document["paths"] = {path.removeprefix("/api"): item for path, item in paths.items()}
    return document


def operations(paths: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in paths.items():
        for method, operation in item.items():
            yield path, method, operation


def referred(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """Return a schema, or the one of ours that it refers to."""
    name: str | None = schema.get("$ref")
    found: dict[str, Any] = schema if name is None else schemas[name.rpartition("/")[2]]
    return found


def test_every_operation_is_there_with_its_parameters_and_its_statuses(
    document: dict[str, Any],
) -> None:
    for path, method, described in operations(DESCRIPTION["paths"]):
        ours = document["paths"][path][method]
        assert described["responses"].keys() <= ours["responses"].keys(), f"{method} {path}"
        have = {(each["in"], each["name"]) for each in ours.get("parameters", [])}
        wanted = [resolved(each) for each in described.get("parameters", [])]
        assert {(each["in"], each["name"]) for each in wanted} <= have, f"{method} {path}"
        is_needed = bool(described.get("security"))
        assert is_needed == (ours.get("security") == [{"token": []}]), f"{method} {path}"
        assert ("requestBody" in described) == ("requestBody" in ours), f"{method} {path}"


def test_every_schema_is_there_by_its_name_with_its_fields(document: dict[str, Any]) -> None:
    ours = document["components"]["schemas"]
    for name, described in DESCRIPTION["components"]["schemas"].items():
        assert name in ours, name
        fields = ours[name]["properties"]
        assert described["properties"].keys() <= fields.keys(), name
        assert set(described.get("required", ())) <= set(ours[name].get("required", ())), name
        for field, schema in described["properties"].items():
            have = referred(fields[field], ours)
            assert schema.get("type") in (None, have["type"]), f"{name}.{field}"
            assert schema.get("format") in (None, have.get("format")), f"{name}.{field}"


def test_each_body_has_the_members_of_the_description(document: dict[str, Any]) -> None:
    for path, method, described in operations(DESCRIPTION["paths"]):
        ours = document["paths"][path][method]
        for status, answer in described["responses"].items():
            content = resolved(answer)["content"]
            if not content or status == "422":
                continue
            wanted = content["application/json"]["schema"]
            schema = ours["responses"][status]["content"]["application/json"]["schema"]
            have = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
            assert set(wanted["required"]) <= set(have["required"]), f"{method} {path}"
            assert wanted["properties"].keys() == have["properties"].keys(), f"{method} {path}"


def test_what_the_description_has_not_is_listed_with_its_reason(document: dict[str, Any]) -> None:
    described = {(path, method) for path, method, _ in operations(DESCRIPTION["paths"])}
    more = set()
    for path, method, ours in operations(document["paths"]):
        operation = f"{method.upper()} {path}"
        if (path, method) in described:
            listed = {*DESCRIPTION["paths"][path][method]["responses"], "default"}
            more |= {
                f"{operation} {status}" for status in ours["responses"] if status not in listed
            }
        else:
            more.add(operation)
    for name, schema in DESCRIPTION["components"]["schemas"].items():
        fields = document["components"]["schemas"][name]["properties"]
        more |= {f"{name}.{field}" for field in fields if field not in schema["properties"]}
    assert sorted(more) == sorted(ADDITIONS)
    assert all(ADDITIONS.values())
