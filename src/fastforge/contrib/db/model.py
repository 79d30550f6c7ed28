"""Model: the base of all tables, with names that migrations can rely on and times in UTC."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from types import FrameType
from typing import Any, ClassVar, Final, cast

from sqlalchemy import DateTime, Dialect, MetaData, Table, TypeDecorator
from sqlalchemy.ext.asyncio import AsyncAttrs
from sqlalchemy.orm import DeclarativeBase, declared_attr, has_inherited_table

from ...exceptions import ComponentError, Location
from .enum_checks import ENUM_TYPES, check_enums
from .errors import NaiveDatetime
from .internals import forget_class
from .sessions.lazy import name_what_is_detached

__all__ = ["NAMING_CONVENTION", "Model", "UtcDateTime", "table_name", "utcnow"]

NAMING_CONVENTION: Final = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}
"""Every constraint has a name: SQLite could not drop one without."""


_OWNER: Final = "fastforge_owner"


def utcnow() -> datetime:
    """Return this moment, aware and in UTC: `mapped_column(default=utcnow)`."""
    return datetime.now(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: aware when it comes and when it goes, in UTC, on SQLite too.

    It is what `Mapped[datetime]` means in a Model.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn a moment into UTC.

        Raises:
            NaiveDatetime: It has no time zone, so that nobody can tell which moment it is.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            raise NaiveDatetime(
                f"the time {value.isoformat()} has no time zone",
                code="db.E016",
                hint="make it with utcnow() of fastforge.contrib.db, or add .replace(tzinfo=UTC)",
            )
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give a moment its time zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Model(AsyncAttrs, DeclarativeBase):
    """The base class of a project's tables, in an app's `models.py`.

    The table is called after the app and the class: `OrderLine` in `shop/orders/models.py` has
    the table `orders_order_line`. A class that derives from another model shares its table unless
    it names its own.

    ```python
    class Order(Model):
        id: Mapped[int] = mapped_column(primary_key=True)
        placed_at: Mapped[datetime] = mapped_column(default=utcnow)
    ```

    `Mapped[Colour]` of an `enum.Enum` is a text of at most 50 characters, the member's name, with
    a CHECK that the database holds it to; so is a `Mapped[Literal["red", "blue"]]`.

    Surprises: all tables of a process stand in one place. Two projects in one process, or two
    apps of one label, cannot both have an `orders` with an `Order`: give one class a
    `__tablename__`, or its app's folder another name.

    Raises:
        ComponentError: Another model has the table already; both are named.
    """

    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map: ClassVar[dict[Any, Any]] = {datetime: UtcDateTime(), **ENUM_TYPES}

    @declared_attr.directive
    def __tablename__(cls) -> str | None:  # noqa: N805
        """`<app>_<class>`, or None for a class that shares its parent's table."""
        model = cast(type[Model], cls)
        return None if has_inherited_table(model) else table_name(model)

    def __init_subclass__(cls, **options: Any) -> None:
        if _shares_a_named_table(cls):
            # Else SQLAlchemy would make it a second time.
            cast(Any, cls).__tablename__ = None
        if not cls.__dict__.get("__abstract__", False):
            _refuse_duplicate(cls)
        super().__init_subclass__(**options)
        table = cls.__dict__.get("__table__")
        if table is not None:
            table.info[_OWNER] = _dotted(cls)
        # The table of a parent, too: a class that shares it may add columns.
        whole = getattr(cls, "__table__", None)
        if isinstance(whole, Table):
            check_enums(whole)
        if "__mapper__" in cls.__dict__:
            name_what_is_detached(cls)


def table_name(model: type) -> str:
    """Return the default table name of a class.

    >>> table_name(type("HTTPLog", (), {"__module__": "shop.audit.models"}))
    'audit_http_log'
    """
    parts = model.__module__.split(".")
    if "models" in parts[1:]:
        parts = parts[: parts.index("models", 1)]
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", model.__name__)
    return f"{parts[-1].strip('_')}_{words.lower()}"


def _shares_a_named_table(model: type[Model]) -> bool:
    """Return whether a class derives from a model of which it also has its `__tablename__`."""
    line = model.__mro__
    names = next(each for each in line if "__tablename__" in each.__dict__)
    parent = next((each for each in line if each.__dict__.get("__table__") is not None), None)
    if parent is None or not isinstance(names.__dict__["__tablename__"], str):
        return False  # a function gives each class a name of its own
    return line.index(parent) <= line.index(names)


def _refuse_duplicate(model: type[Model]) -> None:
    name = model.__tablename__
    table = None if "__table__" in model.__dict__ else model.metadata.tables.get(str(name))
    if table is None:
        return
    owner = table.info.get(_OWNER, "another table")
    mapper = next((each for each in model.registry.mappers if each.local_table is table), None)
    if not (_is_forgotten(table) if mapper is None else _is_run_again(model, mapper.class_)):
        raise ComponentError(
            f"the models {owner} and {_dotted(model)} have the same table {name!r}",
            code="db.E017",
            hint="rename one of them, or give one a __tablename__ of its own",
            where=_place_of(model),
        )
    if mapper is not None:
        forget_class(mapper)
    model.metadata.remove(table)


def _is_forgotten(table: Table) -> bool:
    """Return whether a table's class does not exist any more: SQLAlchemy holds classes weakly."""
    return _OWNER in table.info


def _is_run_again(model: type, other: type) -> bool:
    """Return whether a class replaces its former self, whose module was thrown away (by a test)."""
    module = sys.modules.get(other.__module__)
    return _dotted(model) == _dotted(other) and getattr(module, other.__name__, None) is not other


def _place_of(model: type) -> Location | None:
    """Return the line of the class statement that is being run."""
    frame: FrameType | None = sys._getframe()
    while frame is not None and frame.f_globals.get("__name__") != model.__module__:
        frame = frame.f_back
    return None if frame is None else Location(frame.f_code.co_filename, frame.f_lineno)


def _dotted(model: type) -> str:
    return f"{model.__module__}.{model.__qualname__}"
