"""Spelling: how the fields of a resource are written in its model, its schemas and its test."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from .fields import Field
from .imports import Import, rendered
from .words import Noun

__all__ = ["texts_of"]

_MODEL: Final = (
    Import(module="sqlalchemy.orm", name="Mapped"),
    Import(module="sqlalchemy.orm", name="mapped_column"),
    Import(module="fastforge.contrib.db", name="Model"),
)
_SCHEMAS: Final = (
    Import(module="pydantic", name="BaseModel"),
    Import(module="pydantic", name="ConfigDict"),
    Import(module="pydantic", name="with_config"),
    Import(module="typing_extensions", name="TypedDict"),
)
_LIMITED: Final = (
    Import(module="typing", name="Annotated"),
    Import(module="pydantic", name="Field"),
)


def texts_of(noun: Noun, fields: Sequence[Field], *, width: int) -> dict[str, str]:
    """Return what the templates of a resource leave open.

    Args:
        noun: What one row is.
        fields: Its columns beside the primary key.
        width: The most characters that a line may have.
    """
    limited = {field.type.accepted: field.type.definition for field in fields}
    definitions = [f"{name} = {text}" for name, text in limited.items() if text]
    schemas = [*_SCHEMAS, *(_LIMITED if definitions else ())]
    classes = (f"New{noun.class_name}", f"{noun.class_name}Changes", f"{noun.class_name}Out")
    return {
        "model_imports": rendered([*_MODEL, *_imports(fields, besides="pydantic")], width=width),
        "columns": _lines(_column(field) for field in fields),
        "schema_imports": rendered(
            [*schemas, *_imports(fields, besides="sqlalchemy")], width=width
        ),
        "limited_types": "".join(f"{text}\n" for text in ("", *definitions) if definitions),
        "schema_names": ", ".join(sorted(classes)),
        "new_fields": _lines(_new(field) for field in fields),
        "changed_fields": _lines(f"{field.name}: {_accepted(field)}" for field in fields),
        "answered_fields": _lines(f"{field.name}: {_annotation(field)}" for field in fields),
        "conflict": _conflict(fields),
        "examples": "\n".join(f'        "{field.name}": {field.example},' for field in fields),
        "more_tests": "".join(_more_tests(fields)).rstrip("\n"),
    }


def _imports(fields: Iterable[Field], *, besides: str) -> list[Import]:
    needed = [each for field in fields for each in field.type.imports]
    return [each for each in dict.fromkeys(needed) if each.module != besides]


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(f"    {line}" for line in lines)


def _annotation(field: Field) -> str:
    return f"{field.type.python} | None" if field.is_nullable else field.type.python


def _accepted(field: Field) -> str:
    return f"{field.type.accepted} | None" if field.is_nullable else field.type.accepted


def _column(field: Field) -> str:
    column_type = field.type.column
    if column_type == "JSON" and field.is_nullable:
        column_type = "JSON(none_as_null=True)"  # the database's null, not the word in JSON
    arguments = [column_type] if column_type else []
    arguments += ["unique=True"] if field.is_unique else []
    arguments += ["index=True"] if field.is_indexed else []
    column = f" = mapped_column({', '.join(arguments)})" if arguments else ""
    return f"{field.name}: Mapped[{_annotation(field)}]{column}"


def _new(field: Field) -> str:
    default = " = None" if field.is_nullable else ""
    return f"{field.name}: {_accepted(field)}{default}"


def _conflict(fields: Iterable[Field]) -> str:
    """Return what the docstring of creating says besides, where two can clash."""
    if not any(field.is_unique for field in fields):
        return ""
    return "\n\n    One that clashes with another is answered with 409.\n    "


def _more_tests(fields: Sequence[Field]) -> Iterable[str]:
    required = next((field for field in fields if not field.is_nullable), None)
    nullable = next((field for field in fields if field.is_nullable), None)
    longest = next((field for field in fields if field.type.longest), None)
    unique = next((field for field in fields if field.is_unique), None)
    if required:
        yield _REQUIRED.format(name=required.name)
    if nullable:
        yield _NULLABLE.format(name=nullable.name)
    if longest:
        yield _LONGEST.format(name=longest.name, length=f"{longest.type.longest + 1:_}")
    if unique:
        yield _UNIQUE.format(name=unique.name)


_REQUIRED: Final = """

async def test_one_without_{name}_is_refused(client: httpx.AsyncClient) -> None:
    sent = example(1)
    del sent["{name}"]
    answer = await client.post(PATH, json=sent)
    assert answer.status_code == 422
    answer = await client.post(PATH, json=example(1) | {{"{name}": None}})
    assert answer.status_code == 422
"""

_NULLABLE: Final = """

async def test_{name}_may_be_left_out_and_taken_away(client: httpx.AsyncClient) -> None:
    sent = example(1)
    del sent["{name}"]
    answer = await client.post(PATH, json=sent)
    assert answer.status_code == 201
    assert answer.json()["{name}"] is None
    created = await create(client, 2)
    answer = await client.patch(f"{{PATH}}/{{created['id']}}", json={{"{name}": None}})
    assert answer.status_code == 200
    assert answer.json()["{name}"] is None
"""

_LONGEST: Final = """

async def test_{name}_that_is_too_long_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post(PATH, json=example(1) | {{"{name}": "x" * {length}}})
    assert answer.status_code == 422
"""

_UNIQUE: Final = """

async def test_{name}_that_is_taken_is_a_conflict(client: httpx.AsyncClient) -> None:
    await create(client, 1)
    other = await create(client, 2)
    taken = {{"{name}": example(1)["{name}"]}}
    answer = await client.post(PATH, json=example(3) | taken)
    assert answer.status_code == 409
    answer = await client.patch(f"{{PATH}}/{{other['id']}}", json=taken)
    assert answer.status_code == 409
"""
