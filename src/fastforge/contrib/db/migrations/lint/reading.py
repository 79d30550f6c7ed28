"""Reading: raw SQL as the operations that it stands for, as far as its first words tell.

So the rules see one thing, whether it is written as an operation or as SQL. What has none of the
few forms here is passed over in silence: no parser of SQL is meant to grow in this place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from alembic.operations import ops
from sqlalchemy import Column, Computed, Numeric, String, Text, text
from sqlalchemy.schema import DefaultClause
from sqlalchemy.sql.elements import conv
from sqlalchemy.types import TypeEngine, UserDefinedType

__all__ = ["operations_in", "table_made"]

_TOKEN: Final = re.compile(r'(?:"[^"]*"|[\w$]+)(?:\.(?:"[^"]*"|[\w$]+))*|\S')
_AFTER_TYPE: Final = frozenset(
    {
        "not", "null", "default", "generated", "check", "unique", "primary", "references",
        "constraint", "collate", "using",
    }
)  # fmt: skip
_TEXT: Final = re.compile(r"(?:varchar|character varying)(?:\((?P<length>\d+)\))?")
_NUMBER: Final = re.compile(r"(?:numeric|decimal)\((?P<precision>\d+)(?:,(?P<scale>\d+))?\)")


def operations_in(sql: str) -> tuple[ops.MigrateOperation, ...]:
    """Return the operations of one statement whose remarks and values are taken out; or none."""
    words = _Words(_TOKEN.findall(sql))
    if words.take("create"):
        return tuple(_index(words))
    if words.take("drop", "table"):
        words.take("if", "exists")
        tables = [each.table() for each in words.parts()]
        return tuple(ops.DropTableOp(name, schema=schema) for name, schema in tables)
    if words.take("alter", "table"):
        words.take("if", "exists")
        words.take("only")
        table, schema = words.table()
        actions = [_action(each, table, schema) for each in words.parts()]
        return tuple(operation for operation in actions if operation is not None)
    return ()


def table_made(sql: str) -> str:
    """Return the table that a statement makes, with its schema; empty when it makes none."""
    words = _Words(_TOKEN.findall(sql))
    if not words.take("create"):
        return ""
    if words.ahead() in ("unlogged", "temp", "temporary"):
        words.next()
    if not words.take("table"):
        return ""
    words.take("if", "not", "exists")
    return words.next().replace('"', "")


class _Words:
    """The words of a statement that are left to be read."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self._left = list(tokens)

    def ahead(self) -> str:
        """Return the next word in small letters, and leave it there."""
        return self._left[0].lower() if self._left else ""

    def next(self) -> str:
        """Return the next word."""
        return self._left.pop(0) if self._left else ""

    def take(self, *words: str) -> bool:
        """Go on behind these words if they come next."""
        found = [each.lower() for each in self._left[: len(words)]] == list(words)
        if found:
            del self._left[: len(words)]
        return found

    def says(self, *words: str) -> bool:
        """Return whether these words stand anywhere in what is left, one behind the other."""
        return f" {' '.join(words)} " in f" {' '.join(self._left).lower()} "

    def name(self) -> str:
        """Return the next word as a name."""
        return self.next().strip('"')

    def table(self) -> tuple[str, str | None]:
        """Return the next word as a table and its schema."""
        schema, _, name = self.next().replace('"', "").rpartition(".")
        return name, schema or None

    def listed(self) -> list[str]:
        """Return the names in the parentheses that come next."""
        if not self.take("("):
            return []
        inside = self._left[: self._left.index(")")] if ")" in self._left else []
        return [each.strip('"') for each in inside if each != ","]

    def until(self, ends: frozenset[str]) -> str:
        """Return the words before one of these, without spaces around parentheses."""
        found: list[str] = []
        while self._left and self.ahead() not in ends:
            found.append(self.next())
        return re.sub(r" ?([(),]) ?", r"\1", " ".join(found))

    def parts(self) -> Iterator[_Words]:
        """Yield what stands between the commas that are in no parentheses."""
        part: list[str] = []
        depth = 0
        for token in self._left:
            depth += {"(": 1, ")": -1}.get(token, 0)
            if token == "," and not depth:
                yield _Words(part)
                part = []
            else:
                part.append(token)
        yield _Words(part)


def _index(words: _Words) -> Iterator[ops.MigrateOperation]:
    words.take("unique")
    if not words.take("index") or words.take("concurrently"):
        return
    words.take("if", "not", "exists")
    name = "" if words.ahead() == "on" else words.name()
    if words.take("on"):
        words.take("only")
        table, schema = words.table()
        yield ops.CreateIndexOp(_final(name), table, words.listed() or ["?"], schema=schema)


def _action(words: _Words, table: str, schema: str | None) -> ops.MigrateOperation | None:
    """Return what one action of an ALTER TABLE is."""
    verb = words.next().lower()
    if words.ahead() == "constraint":
        return _constraint(words, table, schema) if verb == "add" else None
    match verb:
        case "drop":
            words.take("column")
            words.take("if", "exists")
            return ops.DropColumnOp(table, words.name(), schema=schema)
        case "rename":
            return _renamed(words, table, schema)
        case "alter":
            words.take("column")
            return _altered(words, table, schema)
        case "add":
            if words.ahead() == "exclude":
                return None
            return _constraint(words, table, schema) or _added(words, table, schema)
    return None


def _renamed(words: _Words, table: str, schema: str | None) -> ops.MigrateOperation | None:
    if words.take("to"):
        return ops.RenameTableOp(table, words.name(), schema=schema)
    words.take("column")
    column = words.name()
    if not words.take("to"):
        return None
    return ops.AlterColumnOp(table, column, schema=schema, modify_name=words.name())


def _altered(words: _Words, table: str, schema: str | None) -> ops.MigrateOperation | None:
    column = words.name()
    if words.take("set", "not", "null"):
        return ops.AlterColumnOp(table, column, schema=schema, modify_nullable=False)
    if words.take("set", "data", "type") or words.take("type"):
        type_ = _type(words.until(_AFTER_TYPE))
        return ops.AlterColumnOp(table, column, schema=schema, modify_type=type_)
    return None


def _constraint(words: _Words, table: str, schema: str | None) -> ops.MigrateOperation | None:
    name = _final(words.name() if words.take("constraint") else "")
    later: Any = {"postgresql_not_valid": True} if words.says("not", "valid") else {}
    if words.take("foreign", "key"):
        words.listed()
        while words.ahead() not in ("references", ""):
            words.next()
        words.next()
        other, other_schema = words.table()
        schemas = {"source_schema": schema, "referent_schema": other_schema}
        return ops.CreateForeignKeyOp(name, table, other, ["?"], ["?"], **schemas, **later)
    if words.take("check"):
        return ops.CreateCheckConstraintOp(name, table, text("?"), schema=schema, **later)
    if words.take("unique") or words.take("primary", "key"):
        if words.take("using", "index"):
            return None  # it is built already
        words.take("nulls", "not", "distinct")
        columns = words.listed() or ["?"]
        return ops.CreateUniqueConstraintOp(name, table, columns, schema=schema)
    return None


def _added(words: _Words, table: str, schema: str | None) -> ops.MigrateOperation:
    words.take("column")
    words.take("if", "not", "exists")
    name, type_ = words.name(), words.until(_AFTER_TYPE)
    is_counted = "serial" in type_.lower() or words.says("as", "identity")
    given: list[Any] = []
    if is_counted:
        given = [DefaultClause(text("nextval(?)"))]
    elif words.says("generated"):
        given = [Computed("?", persisted=words.says("stored"))]
    elif words.says("default"):
        given = [DefaultClause(text(words.until(frozenset())))]
    nullable = not (is_counted or words.says("not", "null"))
    return ops.AddColumnOp(
        table, Column(name, _type(type_), *given, nullable=nullable), schema=schema
    )


def _final(name: str) -> conv:
    """Return a name that no convention changes."""
    return conv(name or "without a name")


class _Named(UserDefinedType[Any]):
    """A type of which nothing is known but its name."""

    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **_options: Any) -> str:
        return self.name


def _type(sql: str) -> TypeEngine[Any]:
    low = sql.lower()
    if found := _TEXT.fullmatch(low):
        return String(int(found["length"])) if found["length"] else String()
    if found := _NUMBER.fullmatch(low):
        return Numeric(int(found["precision"]), int(found["scale"] or 0))
    return Text() if low == "text" else _Named(sql.upper())
