"""Writer: changes become the text of a migration file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from alembic.operations import ops
from sqlalchemy import Identity

from .change import Change
from .layout import INDENT, laid_out
from .raw import RawStatements
from .rendering import Renderer

__all__ = ["NewMigration", "write"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMigration:
    """A migration that has been worked out and not been written yet.

    Args:
        label: The label of its app.
        name: The file's name without `.py`.
        path: The file.
        previous: The id of the app's migration before it, None for the first one; several for
            one that joins branches.
        depends_on: The ids of other apps' migrations that have to come first.
        changes: What it does, in order.
    """

    label: str
    name: str
    path: Path
    previous: str | tuple[str, ...] | None
    depends_on: tuple[str, ...]
    changes: tuple[Change, ...]

    @property
    def id(self) -> str:
        """The name under which the database will remember it."""
        return f"{self.label}.{self.name}"

    @property
    def summary(self) -> str:
        """What it does, in words: the docstring of the file."""
        words = self.name.partition("_")[2].replace("_", " ")
        return f"{words[:1].upper()}{words[1:]}."

    @property
    def source(self) -> str:
        """The text of the file."""
        renderer = Renderer()
        upgrade = _function(
            "upgrade", (step for change in self.changes for step in change.upgrade), renderer
        )
        downgrade = _function(
            "downgrade",
            (step for change in reversed(self.changes) for step in change.downgrade),
            renderer,
        )
        return "\n".join(
            [*self._head(renderer, upgrade + downgrade), *upgrade, "", "", *downgrade, ""]
        )

    def _head(self, renderer: Renderer, body: Sequence[str]) -> Iterator[str]:
        yield from (f'"""{self.summary}"""', "")
        plain = [line for line in renderer.imports if line.startswith("import ")]
        others = [line for line in renderer.imports if not line.startswith("import ")]
        if any("sa." in line for line in body):
            plain.append("import sqlalchemy as sa")
        yield from sorted(plain)
        yield from sorted(["from alembic.operations import Operations", *others])
        yield from ("", f"revision = {_literal(self.id)}")
        yield f"down_revision = {_literal(self.previous)}"
        yield f"branch_labels = {_literal(None if self.previous else (self.label,))}"
        yield f"depends_on = {_literal(self.depends_on or None)}"
        yield from ("", "")


def write(migration: NewMigration) -> None:
    """Write the file, and `__init__.py` beside it when the folder is new."""
    folder = migration.path.parent
    folder.mkdir(parents=True, exist_ok=True)
    package = folder / "__init__.py"
    if not package.exists():
        package.write_text(f'"""The migrations of {migration.label}."""\n', encoding="utf-8")
    migration.path.write_text(migration.source, encoding="utf-8")


def _function(name: str, steps: Iterable[ops.MigrateOperation], renderer: Renderer) -> list[str]:
    lines = [line for step in steps for line in _statements(step, renderer)]
    if all(line.lstrip().startswith("#") for line in lines):
        lines.append(" " * INDENT + "pass")
    return [f"def {name}(op: Operations) -> None:", *lines]


def _statements(step: ops.MigrateOperation, renderer: Renderer) -> Iterator[str]:
    if isinstance(step, RawStatements):
        for line in step.lines:
            outer = INDENT + len(line) - len(line.lstrip())
            remark = line.lstrip().startswith("#")
            yield " " * outer + line.lstrip() if remark else laid_out(line, indent=outer)
    elif isinstance(step, ops.ModifyTableOps):
        schema = f", schema={step.schema!r}" if step.schema else ""
        with_line = f"with op.batch_alter_table({step.table_name!r}{schema}) as batch_op:"
        yield laid_out(with_line, indent=INDENT)
        inner = renderer.statements(step)[1:]
        for operation, source in zip(step.ops, inner, strict=True):
            yield laid_out(_completed(operation, source, renderer), indent=2 * INDENT)
    else:
        for source in renderer.statements(step):
            yield laid_out(source, indent=INDENT)


def _completed(operation: ops.MigrateOperation, source: str, renderer: Renderer) -> str:
    """Add what alembic does not write: USING, and what an identity was before."""
    if not isinstance(operation, ops.AlterColumnOp):
        return source
    more = ""
    using = operation.kw.get("postgresql_using")
    if using:
        more = f", postgresql_using={using!r}"
    identities = (operation.existing_server_default, operation.modify_server_default)
    if isinstance(identities[0], Identity) and identities[1] is not False:
        more += f", existing_server_default={renderer.server_default(identities[0])}"
    return f"{source.rstrip()[:-1]}{more})" if more else source


def _literal(value: object) -> str:
    if isinstance(value, tuple):
        inner = ", ".join(f'"{item}"' for item in value)
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    return "None" if value is None else f'"{value}"'
