"""TypeScript: the types of what is said in the channels of a project."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from ..declaring.channel import Channel
from ..declaring.patterns import Parameter, Pattern
from .schemas import SCHEMAS, ChannelSchema, MessageSchema, described

__all__ = ["typescript_of"]

_PLAIN: Final[Mapping[str, str]] = {
    "string": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "null": "null",
}
_IDENTIFIER: Final = re.compile(r"[A-Za-z_$][\w$]*", re.ASCII)
_NO_IDENTIFIER: Final = re.compile(r"[^\w$]", re.ASCII)
_HEAD: Final = "// Written by `manage channels docs --format typescript`."


def typescript_of(channels: Mapping[str, type[Channel]]) -> str:
    """Return a module: a type for each model, and `Channels` with what each channel has.

    Args:
        channels: The classes by their names in the project.
    """
    found, schemas = described(channels)
    types = [_declaration(name, schema) for name, schema in sorted(schemas.items())]
    return "\n\n".join([_HEAD, *types, _channels(found)]) + "\n"


def _channels(channels: Iterable[ChannelSchema]) -> str:
    lines = [
        f"  {_name(each.channel.pattern)}:"
        f" {{ incoming: {_union(each.incoming)}; outgoing: {_union(each.outgoing)} }};"
        for each in channels
    ]
    about = '/** `Channels["room:7"]["outgoing"]` is what a client gets there. */'
    return "\n".join([about, "export interface Channels {", *lines, "}"])


def _name(pattern: Pattern | None) -> str:
    assert pattern is not None
    if not pattern.parameters:
        return json.dumps(pattern.text)
    parts = [_part(part) if isinstance(part, Parameter) else part for part in pattern.parts]
    return f"[channel: `{':'.join(parts)}`]"


def _part(parameter: Parameter) -> str:
    return "${number}" if parameter.form == "int" else "${string}"


def _union(messages: Iterable[MessageSchema]) -> str:
    return " | ".join(_type_name(each.schema) for each in messages) or "never"


def _declaration(name: str, schema: Mapping[str, Any]) -> str:
    about = _comment(schema.get("description"), "")
    if "properties" not in schema:
        return f"{about}export type {_type_name(name)} = {_type(schema)};"
    lines = "\n".join(_fields(schema))
    return f"{about}export interface {_type_name(name)} {{\n{lines}\n}}"


def _fields(schema: Mapping[str, Any]) -> Iterator[str]:
    required = schema.get("required", ())
    for name, field in schema["properties"].items():
        key = name if _IDENTIFIER.fullmatch(name) else json.dumps(name)
        optional = "" if name in required else "?"
        yield f"{_comment(field.get('description'), '  ')}  {key}{optional}: {_type(field)};"
    extra = schema.get("additionalProperties")
    if extra:
        yield f"  [name: string]: {'unknown' if schema['properties'] else _type(extra)};"


def _type(schema: Any) -> str:
    """Return the type of a schema; what TypeScript cannot say is `unknown`, or wider."""
    if not isinstance(schema, dict):
        return "unknown"
    if "$ref" in schema:
        return _type_name(schema["$ref"].removeprefix(SCHEMAS))
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " | ".join(map(json.dumps, schema["enum"]))
    for several, between in (("anyOf", " | "), ("oneOf", " | "), ("allOf", " & ")):
        if several in schema:
            return between.join(dict.fromkeys(map(_type, schema[several])))
    kind = schema.get("type")
    if kind == "array":
        return _array(schema)
    if kind == "object":
        return _object(schema)
    return _PLAIN.get(kind, "unknown") if isinstance(kind, str) else "unknown"


def _array(schema: Mapping[str, Any]) -> str:
    first = schema.get("prefixItems")
    if first is not None:
        return f"[{', '.join(map(_type, first))}]"
    return f"Array<{_type(schema.get('items'))}>"


def _object(schema: Mapping[str, Any]) -> str:
    if "properties" in schema:
        return f"{{ {' '.join(each.strip() for each in _fields(schema))} }}"
    extra = schema.get("additionalProperties")
    return f"Record<string, {_type(extra)}>"


def _type_name(name: str) -> str:
    return _NO_IDENTIFIER.sub("_", name)


def _comment(text: str | None, indent: str) -> str:
    if not text:
        return ""
    lines = text.replace("*/", "* /").splitlines()
    if len(lines) == 1:
        return f"{indent}/** {lines[0]} */\n"
    told = "".join(f"{indent} * {line}".rstrip() + "\n" for line in lines)
    return f"{indent}/**\n{told}{indent} */\n"
