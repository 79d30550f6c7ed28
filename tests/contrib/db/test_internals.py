"""The private names of SQLAlchemy and alembic exist in the installed versions and mean the same."""

from __future__ import annotations

import ast
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import render
from alembic.operations import ops
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import (
    ColumnProperty,
    DeclarativeBase,
    InstanceState,
    Mapped,
    ORMExecuteState,
    Session,
    mapped_column,
    registry,
    relationship,
    strategies,
)

import fastforge.contrib.db
from fastforge.contrib.db import internals
from fastforge.contrib.db.internals import (
    attributes_loaded,
    belongs_to_type,
    copy_of,
    creation_with_constraints,
    failure_of_flush,
    forget_class,
    has_unwritten,
    locks_rows,
    note_enum_types,
    relationship_loaded,
    replace_loaders,
    same_affinity,
    variants_of,
)
from fastforge.contrib.db.migrations.rendering import postgresql_dialect
from fastforge.contrib.db.migrations.skipping import SkippedConnection

from .tables import Account

HOME = Path(fastforge.contrib.db.__file__).parent
STANDARD_LIBRARY = {"_getframe"}


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (sa.select(1), "_for_update_arg"),
        (ORMExecuteState, "_orm_compile_options"),
        (sa.orm.Session, "_is_clean"),
        (sa.orm.SessionTransaction, "_rollback_exception"),
        (registry, "_dispose_manager_and_mapper"),
        (registry(), "_managers"),
        (sa.Column, "_copy"),
        (sa.Integer, "_type_affinity"),
        (sa.Integer, "_variant_mapping"),
        (sa.UniqueConstraint("x"), "_type_bound"),
        (InstanceState, "_instance_level_callable_processor"),
        (ColumnProperty, "_deferred_column_loader"),
        (strategies, "_LoadDeferredColumns"),
        (sa.Connection, "_run_ddl_visitor"),
        (render, "_repr_type"),
        (ops.CreateTableOp("x", []), "_constraints_included"),
    ],
)
def test_the_private_name_is_there(owner: object, name: str) -> None:
    assert hasattr(owner, name)
    assert name in Path(internals.__file__).read_text()


def test_the_relationship_that_a_statement_loads_is_told() -> None:
    class Base(DeclarativeBase):
        pass

    class Page(Base):
        __tablename__ = "page"
        id: Mapped[int] = mapped_column(primary_key=True)
        next_id: Mapped[int | None] = mapped_column(sa.ForeignKey("page.id"))

    # Annotations are texts here, and the class is of this function alone.
    Page.next = relationship(Page, remote_side=Page.id)  # type: ignore[attr-defined]
    told: list[str | None] = []
    engine = sa.create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all([Page(id=1), Page(id=2, next_id=1)])
        session.commit()
        session.expunge_all()
        page = session.get_one(Page, 2)
        sa.event.listen(
            engine, "after_cursor_execute", lambda *seen: told.append(relationship_loaded(seen[4]))
        )
        assert page.next.id == 1  # type: ignore[attr-defined]
        session.scalars(sa.select(Page)).all()
        session.connection().exec_driver_sql("SELECT 1")
    assert told == ["Page.next", None, None]


def test_the_error_of_a_failed_flush_is_told() -> None:
    class Base(DeclarativeBase):
        pass

    class Note(Base):
        __tablename__ = "note"
        id: Mapped[int] = mapped_column(primary_key=True)

    engine = sa.create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        assert failure_of_flush(session) is None
        session.add_all([Note(id=1), Note(id=1)])
        with pytest.raises(sa.exc.IntegrityError) as raised:
            session.flush()
        assert failure_of_flush(session) is raised.value


def test_the_attributes_that_a_statement_loads_are_told() -> None:
    class Base(DeclarativeBase):
        pass

    class Note(Base):
        __tablename__ = "note"
        id: Mapped[int] = mapped_column(primary_key=True)
        text: Mapped[str] = mapped_column(deferred=True)

    told: list[list[str]] = []
    engine = sa.create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(Note(id=1, text="x"))
        session.commit()
        sa.event.listen(
            session, "do_orm_execute", lambda state: told.append(attributes_loaded(state))
        )
        assert session.scalars(sa.select(Note)).one().text == "x"
    engine.dispose()
    assert told == [[], ["text"]]


def test_no_other_module_uses_a_private_name_of_a_library() -> None:
    modules = {path: ast.parse(path.read_text()) for path in HOME.rglob("*.py")}
    ours = set().union(*map(defined, modules.values()), STANDARD_LIBRARY)
    found = {
        f"{path.relative_to(HOME)}: {name}"
        for path, tree in modules.items()
        if path.name != "internals.py"
        for name in private_names(tree) - ours
    }
    assert found == set()


def defined(tree: ast.AST) -> set[str]:
    """The names that a module defines: functions, fields and attributes."""
    own: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            own.add(node.name)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            own.add(node.target.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            own.add(node.attr)
    return own


def private_names(tree: ast.AST) -> set[str]:
    """The private names that a module uses."""
    used: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            used.add(node.attr)
        elif isinstance(node, ast.ImportFrom) and node.module:
            used.update(alias.name for alias in node.names if not node.level)
        elif isinstance(node, ast.keyword) and node.arg:
            used.add(node.arg)
    return {name for name in used if name.startswith("_") and not name.endswith("__")}


def test_a_session_knows_what_it_has_not_written() -> None:
    with sa.orm.Session() as session:
        assert not has_unwritten(session)
        session.add(Account(name="new"))
        assert has_unwritten(session)


def test_a_select_with_for_update_locks_rows() -> None:
    statement: Any = sa.select(sa.column("x"))
    assert locks_rows(statement.with_for_update())
    assert not locks_rows(statement)
    assert not locks_rows(sa.text("SELECT 1"))


def test_a_class_is_forgotten_alone() -> None:
    class Base(DeclarativeBase):
        pass

    class Gone(Base):
        __tablename__ = "gone"
        id: Mapped[int] = mapped_column(primary_key=True)

    class Kept(Base):
        __tablename__ = "kept"
        id: Mapped[int] = mapped_column(primary_key=True)

    forget_class(Gone.__mapper__)
    assert [mapper.class_ for mapper in Base.registry.mappers] == [Kept]


def test_a_column_is_copied_without_its_table() -> None:
    column = sa.Column("x", sa.Integer)
    sa.Table("t", sa.MetaData(), column)
    assert copy_of(column).name == "x"
    assert copy_of(column).table is None


def test_types_tell_their_kind_and_their_variants() -> None:
    assert same_affinity(sa.String(), sa.Text())
    assert not same_affinity(sa.String(), sa.Integer())
    variants = variants_of(sa.BigInteger().with_variant(sa.Integer(), "sqlite"))
    assert list(variants) == ["sqlite"]
    assert variants_of(sa.Integer()) == {}


def test_the_check_of_a_boolean_belongs_to_its_type() -> None:
    column: Any = sa.Column("x", sa.Boolean(name="b", create_constraint=True))
    table = sa.Table("t", sa.MetaData(), column, sa.CheckConstraint("x", name="own"))
    checks = [each for each in table.constraints if isinstance(each, sa.CheckConstraint)]
    assert {str(check.name): belongs_to_type(check) for check in checks} == {
        "b": True,
        "own": False,
    }


def test_a_table_is_made_with_the_given_constraints_alone() -> None:
    column: Any = sa.Column("x", sa.Integer, unique=True)
    creation = creation_with_constraints("t", [column], schema=None, comment=None)
    made = creation.to_table().constraints
    assert not [each for each in made if isinstance(each, sa.UniqueConstraint)]


def test_a_noted_enum_type_is_not_made_again() -> None:
    memo: dict[Any, Any] = {}
    note_enum_types(memo, {(None, "colour")})
    runner = {"_ddl_runner": SimpleNamespace(memo=memo)}
    known = postgresql.ENUM("red", name="colour")
    new = postgresql.ENUM("red", name="shade")
    assert known._check_for_name_in_memos(False, runner)  # type: ignore[arg-type]
    assert not new._check_for_name_in_memos(False, runner)  # type: ignore[arg-type]


def test_an_enum_type_is_made_nowhere() -> None:
    connection: Any = SkippedConnection(postgresql_dialect())
    sa.Enum("red", name="colour").create(connection)


def test_whatever_loads_an_attribute_can_be_replaced() -> None:
    class Base(DeclarativeBase):
        pass

    class Note(Base):
        __tablename__ = "note"
        id: Mapped[int] = mapped_column(primary_key=True)
        text: Mapped[str]
        long: Mapped[str] = mapped_column(deferred=True)

    seen: list[str] = []

    def wrap(load: Any, key: str) -> Any:
        def loaded(*arguments: Any) -> Any:
            seen.append(key)
            return load(*arguments)

        return loaded

    sa.orm.configure_mappers()
    replace_loaders(sa.inspect(Note), wrap)
    engine = sa.create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(Note(id=1, text="a", long="b"))
        session.commit()
        note = session.get_one(Note, 1)
        session.expire(note)
        assert (note.text, seen) == ("a", [""])
        assert (note.long, seen) == ("b", ["", "long"])
    with Session(engine) as session:
        found = session.scalars(sa.select(Note).options(sa.orm.load_only(Note.id))).one()
        assert (found.text, seen) == ("a", ["", "long", "text"])
    engine.dispose()
