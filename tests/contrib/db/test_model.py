"""Tables have names that migrations can rely on, and times are aware and in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from fastforge.contrib.db import Model, utcnow
from fastforge.contrib.db.errors import NaiveDatetime
from fastforge.contrib.db.model import UtcDateTime, table_name
from fastforge.contrib.db.resources import DatabaseConnection
from fastforge.exceptions import ComponentError
from tests.folder import isolated

from .tables import Account, Base, Entry


class Moment(Base):
    __tablename__ = "moment"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    maybe: Mapped[datetime | None]


@pytest.mark.parametrize(
    ("module", "name", "table"),
    [
        ("shop.orders.models", "Order", "orders_order"),
        ("shop.orders.models", "OrderLine", "orders_order_line"),
        ("shop.orders.models.invoices", "Invoice", "orders_invoice"),
        ("shop.audit.models", "HTTPLog", "audit_http_log"),
        ("fastforge.contrib.jobs.models", "Job", "jobs_job"),
        ("models", "Order", "models_order"),
        ("shop.notes", "Note", "notes_note"),
    ],
)
def test_a_table_is_called_after_its_app_and_class(module: str, name: str, table: str) -> None:
    assert table_name(type(name, (), {"__module__": module})) == table


def test_every_constraint_has_a_name() -> None:
    names = {str(each.name) for table in (Account, Entry) for each in table.__table__.constraints}  # type: ignore[attr-defined]
    assert names == {"pk_account", "uq_account_name", "pk_entry", "fk_entry_account_id_account"}


async def test_times_come_back_aware_and_in_utc(db: DatabaseConnection) -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    async with db.session().atomic() as session:
        session.add(Moment(id=1, at=moment))
    found = await db.session().get_one(Moment, 1)
    assert found.at == moment
    assert found.at.utcoffset() == timedelta(0)
    assert found.maybe is None
    session = db.session()
    assert await session.scalar(sa.select(Moment.id).where(Moment.at == moment)) == 1
    assert await session.scalar(sa.select(Moment.id).where(Moment.at > moment)) is None


async def test_a_time_without_a_zone_is_refused(db: DatabaseConnection) -> None:
    with pytest.raises(NaiveDatetime) as raised:
        async with db.session().atomic() as session:
            session.add(Moment(id=1, at=datetime(2026, 1, 2)))  # noqa: DTZ001
    told = "[db.E016] the time 2026-01-02T00:00:00 has no time zone; make it with utcnow()"
    assert str(raised.value).startswith(told)  # without the SQL and its parameters


def test_utcnow_is_aware() -> None:
    assert utcnow().tzinfo is UTC
    assert isinstance(Moment.__table__.c.at.type, UtcDateTime)


def test_a_class_shares_the_table_of_its_parent_also_where_that_names_it() -> None:
    class Zoo(Model):
        __abstract__ = True
        metadata = sa.MetaData()

    class Animal(Zoo):
        __tablename__ = "animals"
        id: Mapped[int] = mapped_column(primary_key=True)
        kind: Mapped[str]
        __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "animal"}  # noqa: RUF012

    class Dog(Animal):
        bark: Mapped[str | None]
        __mapper_args__ = {"polymorphic_identity": "dog"}  # noqa: RUF012

    class Puppy(Dog):
        __mapper_args__ = {"polymorphic_identity": "puppy"}  # noqa: RUF012

    class Horse(Animal):
        __tablename__ = "horses"
        id: Mapped[int] = mapped_column(sa.ForeignKey("animals.id"), primary_key=True)
        __mapper_args__ = {"polymorphic_identity": "horse"}  # noqa: RUF012

    class Pony(Horse):
        __mapper_args__ = {"polymorphic_identity": "pony"}  # noqa: RUF012

    class Named:
        __tablename__ = "cats"

    class Cat(Named, Animal):
        id: Mapped[int] = mapped_column(sa.ForeignKey("animals.id"), primary_key=True)
        __mapper_args__ = {"polymorphic_identity": "cat"}  # noqa: RUF012

    tables = {each.__name__: str(each.__table__) for each in (Dog, Puppy, Horse, Pony, Cat)}
    assert tables == {
        "Dog": "animals",
        "Puppy": "animals",
        "Horse": "horses",
        "Pony": "horses",
        "Cat": "cats",
    }
    assert "bark" in Animal.__table__.c


def test_two_models_with_one_table_are_refused_naming_both() -> None:
    with pytest.raises(
        ComponentError, match=r"test_model\.py:\d+: .*tables\.Account.*Again.*'account'"
    ):

        class Again(Base):
            __tablename__ = "account"

            id: Mapped[int] = mapped_column(primary_key=True)


def test_a_subclass_shares_the_table_of_its_parent() -> None:
    class Vehicle(Base):
        id: Mapped[int] = mapped_column(primary_key=True)
        kind: Mapped[str]
        __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "vehicle"}  # noqa: RUF012

    class Car(Vehicle):
        __mapper_args__ = {"polymorphic_identity": "car"}  # noqa: RUF012

    assert Car.__table__ is Vehicle.__table__
    assert Vehicle.__table__.name == "test_model_vehicle"  # type: ignore[attr-defined]


MODELS = """
    from sqlalchemy.orm import Mapped, mapped_column, relationship
    from sqlalchemy import ForeignKey
    from fastforge.contrib.db import Model

    class Stamped(Model):
        __abstract__ = True
        id: Mapped[int] = mapped_column(primary_key=True)

    class Parcel(Stamped):
        labels: Mapped[list["ParcelLabel"]] = relationship()

    class ParcelLabel(Stamped):
        parcel_id: Mapped[int] = mapped_column(ForeignKey("post_parcel.id"))
    """


@pytest.mark.parametrize("time", ["first", "second"])
def test_models_are_components_and_a_project_can_be_loaded_anew(tmp_path: Path, time: str) -> None:
    """The second time the modules were thrown away, and their classes replace the former ones."""
    with isolated(tmp_path) as folder:
        folder.write(
            {
                "shop/settings.py": """
                    INSTALLED_APPS = ["fastforge.contrib.db", "shop.post"]
                    """,
                "shop/post/models.py": MODELS,
            }
        )
        found = folder.load().registry.components("models")
        assert [component.name for component in found] == ["post.Parcel", "post.ParcelLabel"]
        parcel = found[0].value
        assert issubclass(parcel, Model)
        assert parcel(labels=[]).labels == []
        assert Model.metadata.tables["post_parcel"] is parcel.__table__
