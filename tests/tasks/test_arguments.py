"""What a task takes: checked at the enqueue, JSON on the way, checked again in the worker."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any

import pytest
from fastapi import Depends, Request
from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    NaiveDatetime,
    SecretStr,
)
from pydantic.dataclasses import dataclass as pydantic_dataclass

from fastforge.exceptions import DependencyError, TaskError
from fastforge.lifecycle import injected
from fastforge.tasks.arguments import arguments_of


async def give_session() -> str:
    return "session"


Session = Annotated[str, Depends(give_session)]


class Colour(Enum):
    RED = "red"


class Strict(BaseModel):
    model_config = ConfigDict(strict=True)
    day: date
    prices: tuple[Decimal, ...]


@dataclass
class Point:
    x: int
    y: int


Copies = Annotated[int, Field(ge=1)]


async def send(order_id: int, copies: Copies = 1, *, db: Session = injected) -> None: ...


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        (int, 7),
        (Any, {"a": [1, None, "ü"]}),
        (uuid.UUID, uuid.uuid4()),
        (datetime, datetime(2026, 11, 25, 12, tzinfo=UTC)),
        (Colour, Colour.RED),
        (Strict, Strict(day=date(2026, 1, 1), prices=(Decimal("1.50"),))),
        (Point, Point(1, 2)),
        (set[int], {1, 2}),
        (dict[int, str], {1: "one"}),
        (bytes, b"text"),
        (int | None, None),
        (str, "NUL \x00 too"),
    ],
)
def test_a_value_arrives_as_it_was_sent(type_: Any, value: object) -> None:
    async def take(value: type_) -> None: ...  # type: ignore[valid-type]

    take.__annotations__["value"] = type_
    arguments = arguments_of(take)
    wire = json.dumps(arguments.dump((value,), {}))
    assert arguments.load(json.loads(wire)) == {"value": value}


def test_defaults_and_injected_parameters_do_not_travel() -> None:
    assert arguments_of(send).dump((7,), {}) == {"order_id": 7}


def test_an_injected_parameter_is_refused_at_the_enqueue() -> None:
    with pytest.raises(TaskError, match=r"tasks.E002.*db was given.*leave db out"):
        arguments_of(send).dump((7,), {"db": "mine"})


@pytest.mark.parametrize(
    ("args", "kwargs", "message"),
    [
        ((), {}, r"missing a required argument: 'order_id'; it takes order_id, copies"),
        ((), {"order": 7}, r"did you mean 'order_id'"),
        ((1, 2, 3), {}, r"too many positional arguments"),
    ],
)
def test_a_call_that_does_not_fit_is_one_line(
    args: tuple[int, ...], kwargs: dict[str, int], message: str
) -> None:
    with pytest.raises(TaskError, match=message) as caught:
        arguments_of(send).dump(args, kwargs)
    assert "\n" not in str(caught.value)


def test_every_wrong_value_is_named_at_once() -> None:
    with pytest.raises(TaskError) as caught:
        arguments_of(send).dump(("seven",), {"copies": 0})
    assert "order_id='seven': Input should be a valid integer" in str(caught.value)
    assert "copies=0: Input should be greater than or equal to 1" in str(caught.value)


def test_a_password_is_not_shown() -> None:
    async def login(password: int) -> None: ...

    with pytest.raises(TaskError) as caught:
        arguments_of(login).dump(("hunter2",), {})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "value",
    [object(), float("nan"), b"\xff", "\ud800", [lambda: 1]],
    ids=["object", "nan", "bytes", "surrogate", "function"],
)
def test_what_cannot_be_json_is_refused_and_the_parameter_named(value: object) -> None:
    async def take(thing: Any) -> None: ...

    with pytest.raises(TaskError, match=r"tasks.E005.*the argument thing of take"):
        arguments_of(take).dump((value,), {})


def test_what_could_not_be_read_again_is_refused_at_the_enqueue() -> None:
    class Measured(BaseModel):
        value: float

    async def take(thing: Measured) -> None: ...

    take.__annotations__["thing"] = Measured
    with pytest.raises(TaskError, match=r"tasks.E005.*the argument thing of take") as caught:
        arguments_of(take).dump((Measured(value=float("nan")),), {})
    assert "\n" not in str(caught.value)


def test_a_type_that_pydantic_does_not_know_is_refused_at_collection() -> None:
    class Connection: ...

    async def take(connection: Any) -> None: ...

    take.__annotations__["connection"] = Connection
    with pytest.raises(TaskError, match=r"tasks.E007.*connection: Connection.*injected"):
        arguments_of(take)


# --- moments -------------------------------------------------------------------------------------

NAIVE = datetime(2026, 12, 24, 18)  # noqa: DTZ001
AWARE = NAIVE.replace(tzinfo=UTC)


class Visit(BaseModel):
    at: datetime
    on_the_clock: NaiveDatetime | None = None


@dataclass
class Stay:
    visits: list[Visit]


@pydantic_dataclass
class Trip:
    start: datetime


class Node(BaseModel):
    at: datetime
    next: Node | None = None


@pytest.mark.parametrize(
    ("type_", "value", "path"),
    [
        (datetime, NAIVE, "at"),
        (datetime, "2026-12-24T18:00:00", "at"),
        (datetime | None, NAIVE, "at"),
        (list[datetime], [AWARE, NAIVE], "at.1"),
        (dict[str, datetime], {"eve": NAIVE}, "at.eve"),
        (tuple[int, datetime], (1, NAIVE), "at.1"),
        (Annotated[datetime, Field(description="when")], NAIVE, "at"),
        (Visit, Visit(at=NAIVE), "at.at"),
        (list[Visit], [Visit(at=NAIVE)], "at.0.at"),
        (Stay, Stay([Visit(at=NAIVE)]), "at.visits.0.at"),
        (Trip, Trip(start=NAIVE), "at.start"),
        (Node, Node(at=AWARE, next=Node(at=NAIVE)), "at.next.at"),
    ],
)
def test_a_moment_without_a_zone_is_refused_at_the_enqueue(
    type_: Any, value: object, path: str
) -> None:
    async def take(at: Any) -> None: ...

    take.__annotations__["at"] = type_
    with pytest.raises(
        TaskError, match=rf"tasks.E023.*given {path}=2026-12-24T18:00:00.*datetime.now.UTC.*Naive"
    ) as caught:
        arguments_of(take).dump((value,), {})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        (NaiveDatetime, NAIVE),
        (NaiveDatetime | None, NAIVE),
        (AwareDatetime, AWARE),
        (list[NaiveDatetime], [NAIVE]),
        (Visit, Visit(at=AWARE, on_the_clock=NAIVE)),
        (Node, Node(at=AWARE, next=Node(at=AWARE))),
        (Trip, Trip(start=AWARE)),
        (date, date(2026, 12, 24)),
    ],
)
def test_a_moment_arrives_as_its_annotation_wants_it(type_: Any, value: object) -> None:
    async def take(at: Any) -> None: ...

    take.__annotations__["at"] = type_
    arguments = arguments_of(take)
    assert arguments.load(arguments.dump((value,), {})) == {"at": value}


def test_a_moment_without_a_zone_that_waits_already_still_runs() -> None:
    async def take(at: datetime) -> None: ...

    take.__annotations__["at"] = datetime
    assert arguments_of(take).load({"at": "2026-12-24T18:00:00"}) == {"at": NAIVE}


# --- defaults ------------------------------------------------------------------------------------


def test_defaults_are_known_as_json() -> None:
    async def take(
        order_id: int,
        day: date = date(2026, 1, 1),
        copies: int = 1,
        mark: Any = object,
        wrong: int = "seven",  # type: ignore[assignment]
    ) -> None: ...

    take.__annotations__.update({"day": date, "order_id": int, "copies": int, "wrong": int})
    take.__annotations__["mark"] = Any
    arguments = arguments_of(take)
    assert arguments.defaults == {"day": "2026-01-01", "copies": 1}
    assert arguments.unwritable.keys() == {"mark", "wrong"}
    assert arguments.dump((7,), {}) == {"order_id": 7}


async def variadic(*ids: int) -> None: ...
async def keywords(**ids: int) -> None: ...
async def positional(order_id: int, /) -> None: ...


@pytest.mark.parametrize("function", [variadic, keywords, positional])
def test_parameters_without_a_name_are_refused(function: Callable[..., Any]) -> None:
    with pytest.raises(TaskError, match="tasks.E006"):
        arguments_of(function)


async def current_user(request: Request) -> str:
    return str(request.url)


async def audit(user: Annotated[str, Depends(current_user)]) -> str:
    return user


async def report(order_id: int, *, audit: Annotated[str, Depends(audit)] = injected) -> None: ...


def test_a_dependency_that_needs_a_request_is_refused_and_the_chain_named() -> None:
    with pytest.raises(DependencyError, match=r"request.*report -> audit"):
        arguments_of(report)


def test_a_payload_of_another_version_of_the_task_names_everything_that_does_not_fit() -> None:
    with pytest.raises(TaskError, match="tasks.E008") as caught:
        arguments_of(send).load({"order": 7, "copies": "x"})
    for fault in ("order_id is missing", "it takes no order", "copies='x'"):
        assert fault in str(caught.value)


class Order(BaseModel):
    total: int = Field(0, alias="orderTotal")


class BigOrder(Order):
    extra: int = 0


def test_a_model_arrives_whole_also_under_its_aliases() -> None:
    async def ship(order: Order) -> None: ...

    arguments = arguments_of(ship)
    written = arguments.dump((Order(orderTotal=5),), {})
    assert arguments.load(written)["order"] == Order(orderTotal=5)


def test_what_would_arrive_as_something_else_is_refused() -> None:
    async def ship(order: Order) -> None: ...
    async def login(key: SecretStr) -> None: ...

    with pytest.raises(TaskError, match="it would arrive as something else"):
        arguments_of(ship).dump((BigOrder(orderTotal=5, extra=9),), {})
    with pytest.raises(TaskError, match="it would arrive as something else") as caught:
        arguments_of(login).dump((SecretStr("hunter2"),), {})
    assert "hunter2" not in str(caught.value)
