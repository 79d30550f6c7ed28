"""What is wrong with a request is told without any of what was sent."""

from __future__ import annotations

import importlib.util
import json
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from fastapi import Body, Cookie, FastAPI, Form, Header, Path, Query, WebSocket
from fastapi.testclient import TestClient
from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Json,
    Tag,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError, PydanticKnownError
from starlette.websockets import WebSocketDisconnect

from fastforge.web.errors.handlers import add_exception_handlers
from fastforge.web.errors.validation import MOST_ERRORS, Sent, field_errors

CANARY = "canary0secret"
HAS_FORMS = importlib.util.find_spec("python_multipart") is not None


class Color(Enum):
    """Two colours."""

    RED = "red"
    BLUE = "blue"


class Cat(BaseModel):
    """A pet of the first kind."""

    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    """A pet of the second kind."""

    kind: Literal["dog"]
    tricks: list[str]


class Inner(BaseModel):
    """What takes nothing that it does not know."""

    model_config = ConfigDict(extra="forbid")

    size: int = 0
    sizes: dict[int, int] = {}


class Everything(BaseModel):
    """A field of every kind that pydantic has a message for."""

    whole: int = 0
    number: float = 0
    price: Annotated[Decimal, Field(max_digits=4, decimal_places=2)] = Decimal(0)
    truth: bool = False
    moment: datetime | None = None
    identity: UUID | None = None
    choice: Literal["one", "two"] = "one"
    color: Color = Color.RED
    pattern: Annotated[str, Field(pattern="^[a-z]+$")] = "a"
    short: Annotated[str, Field(max_length=3)] = ""
    data: bytes = b""
    pet: Annotated[Cat | Dog | None, Field(discriminator="kind")] = None
    tagged: Annotated[
        Annotated[int, Tag("int")] | Annotated[str, Tag("str")],
        Discriminator(lambda value: value if isinstance(value, str) else "int"),
    ] = 0
    either: int | Inner = 0
    inner: Inner = Inner()
    inners: dict[str, Inner] = {}
    nested: Json[dict[str, int]] = {}
    email: str = ""
    custom: str = ""
    asserted: str = ""
    pieces: str = ""
    first: str = ""
    second: str = ""

    @field_validator("email")
    @classmethod
    def _email(cls, value: str) -> str:
        if value and "@" not in value:
            raise ValueError(f"{value!r} is no address")
        return value

    @field_validator("custom")
    @classmethod
    def _custom(cls, value: str) -> str:
        if value:
            raise PydanticCustomError("odd", "{value} is odd", {"value": value.upper()})
        return value

    @field_validator("asserted")
    @classmethod
    def _asserted(cls, value: str) -> str:
        assert not value, f"{value} was not expected"
        return value

    @field_validator("pieces")
    @classmethod
    def _pieces(cls, value: str) -> str:
        if value:
            raise ValueError("begins with " + value[:5])
        return value

    @model_validator(mode="after")
    def _both(self) -> Everything:
        if self.first and self.second:
            raise ValueError(f"{self.first} goes not with the other")
        return self


TEXTS = ("data", "first", "second")
FIELDS: list[tuple[str, Any]] = [
    *((name, CANARY) for name in Everything.model_fields if name not in TEXTS),
    ("data", {CANARY: CANARY}),
    ("pet", {"kind": CANARY}),
    ("pet", {"kind": "cat", "lives": CANARY}),
    ("pet", {CANARY: "cat"}),
    ("either", {CANARY: 1}),
    ("either", {"size": CANARY}),
    ("inner", {CANARY: 1}),
    ("inner", {"sizes": {CANARY: CANARY}}),
    ("inners", {CANARY: {CANARY: 1}}),
    ("inners", {CANARY: {"size": CANARY}}),
    ("nested", json.dumps({CANARY: CANARY})),
    ("nested", "{" + CANARY),
    ("short", [CANARY]),
    ("pattern", CANARY),
]


def application() -> FastAPI:
    app = FastAPI()

    @app.post("/body")
    async def body(everything: Everything) -> None: ...

    @app.post("/embedded")
    async def embedded(everything: Annotated[Inner, Body(embed=True)]) -> None: ...

    @app.get("/path/{whole}")
    async def path(whole: Annotated[int, Path()]) -> None: ...

    @app.get("/query")
    async def query(
        choice: Literal["one"] = "one",
        email: Annotated[str, Query(pattern="^[a-z]+@$")] = "a@",
    ) -> None: ...

    @app.get("/model")
    async def model(inner: Annotated[Inner, Query()]) -> None: ...

    @app.get("/header")
    async def header(x_size: Annotated[int, Header()]) -> None: ...

    @app.get("/cookie")
    async def cookie(size: Annotated[UUID, Cookie()]) -> None: ...

    @app.websocket("/socket")
    async def socket(websocket: WebSocket, size: int) -> None: ...

    add_exception_handlers(app)
    return app


@pytest.fixture(scope="module")
def client() -> TestClient:
    return TestClient(application())


def assert_silent(answer: Any, *words: str) -> list[Any]:
    assert answer.status_code == 422, answer.text
    shown = f"{answer.text} {answer.headers}".casefold()
    for word in (CANARY[:5], *words):
        assert word not in shown
    errors = answer.json()["errors"]
    assert errors
    assert all(set(error) == {"location", "message", "type"} for error in errors)
    return list(errors)


@pytest.mark.parametrize(("name", "value"), FIELDS)
def test_a_body_is_not_repeated(client: TestClient, name: str, value: Any) -> None:
    errors = assert_silent(client.post("/body", json={name: value}))
    assert errors[0]["location"][:2] == ["body", name]


@pytest.mark.parametrize(
    ("method", "url", "options"),
    [
        ("POST", "/body", {"json": {"first": CANARY, "second": "b"}}),
        ("POST", "/body", {"json": [CANARY]}),
        ("POST", "/body", {"json": CANARY}),
        ("POST", "/body", {"content": "{" + CANARY, "headers": {"content-type": "a/json"}}),
        ("POST", "/body", {"content": CANARY, "headers": {"content-type": "application/json"}}),
        ("POST", "/body", {"content": CANARY, "headers": {"content-type": "text/plain"}}),
        ("POST", "/embedded", {"json": {CANARY: {}}}),
        ("POST", "/embedded", {"json": {"everything": {CANARY: 1}}}),
        ("GET", f"/path/{CANARY}", {}),
        ("GET", "/query", {"params": {"choice": CANARY, "email": CANARY}}),
        ("GET", "/model", {"params": {CANARY: CANARY, "size": CANARY}}),
        ("GET", "/header", {"headers": {"x-size": CANARY}}),
        ("GET", "/cookie", {"headers": {"cookie": f"size={CANARY}"}}),
    ],
)
def test_no_other_part_of_a_request_is_repeated(
    client: TestClient, method: str, url: str, options: dict[str, Any]
) -> None:
    assert_silent(client.request(method, url, **options))


@pytest.mark.skipif(not HAS_FORMS, reason="FastAPI reads no form without it")
def test_a_form_is_not_repeated() -> None:
    app = FastAPI()

    @app.post("/form")
    async def form(inner: Annotated[Inner, Form()]) -> None: ...

    add_exception_handlers(app)
    client = TestClient(app)
    errors = assert_silent(client.post("/form", data={"size": CANARY, CANARY: CANARY}))
    assert [error["location"] for error in errors] == [["body", "size"], ["body", "*"]]


def test_a_socket_is_closed_without_a_word_of_what_was_sent(client: TestClient) -> None:
    with (
        pytest.raises(WebSocketDisconnect) as closed,
        client.websocket_connect(f"/socket?size={CANARY}"),
    ):
        pass
    assert (closed.value.code, closed.value.reason) == (1008, "the request is not valid")


@pytest.mark.parametrize(
    ("kind", "filled"),
    [
        ("bytes_invalid_encoding", {"encoding": "base64", "encoding_error": CANARY}),
        ("get_attribute_error", {"error": CANARY}),
        ("iteration_error", {"error": CANARY}),
        ("json_invalid", {"error": CANARY}),
        ("mapping_type", {"error": CANARY}),
        ("no_such_attribute", {"attribute": CANARY}),
        ("timezone_offset", {"tz_expected": 0, "tz_actual": 3600}),
        ("union_tag_invalid", {"discriminator": "k", "tag": CANARY, "expected_tags": "a"}),
        ("uuid_parsing", {"error": CANARY}),
    ],
)
def test_a_message_of_pydantics_is_told_without_what_fills_it(
    kind: Any, filled: dict[str, Any]
) -> None:
    known = PydanticKnownError(kind, filled)
    facts = {"type": kind, "loc": ("body",), "msg": known.message(), "ctx": filled}
    nothing = Sent({}, frozenset())  # what is told does not depend on what was sent
    (error,) = field_errors([facts], frozenset(), nothing)
    assert any(str(each) in known.message() for each in (CANARY, 3600))
    assert not any(str(each) in error.message for each in (CANARY, 3600))
    assert error.type == kind


def test_names_that_the_client_made_up_are_a_star(client: TestClient) -> None:
    body = {"inners": {"mine": {"sizes": {"x": 1}, "theirs": 2}}}
    errors = client.post("/body", json=body).json()["errors"]
    assert [error["location"] for error in errors] == [
        ["body", "inners", "*", "sizes", "*", "[key]"],
        ["body", "inners", "*", "*"],
    ]


def test_declared_names_tags_and_branches_stay(client: TestClient) -> None:
    body = {"pet": {"kind": "cat", "lives": "x"}, "either": "x"}
    errors = client.post("/body", json=body).json()["errors"]
    assert [error["location"] for error in errors] == [
        ["body", "pet", "cat", "lives"],
        ["body", "either", "int"],
        ["body", "either", "Inner"],
    ]


class Own(BaseModel):
    """Validators whose messages repeat nothing."""

    even: int = 0
    large: int = 0
    named: str = ""
    mail: str = ""

    @field_validator("even")
    @classmethod
    def _even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("must be even, not 7 or 9")
        return value

    @field_validator("large")
    @classmethod
    def _large(cls, value: int) -> int:
        least = 30
        if 0 < value < least:
            raise ValueError(f"must be at least {least}")
        return value

    @field_validator("named")
    @classmethod
    def _named(cls, value: str) -> str:
        if value:
            raise PydanticCustomError("taken", "that name is taken")
        return value

    @field_validator("mail")
    @classmethod
    def _mail(cls, value: str) -> str:
        if value:
            reason = f"there is no {value[0]}"
            raise PydanticCustomError("mail", "not an address: {reason}", {"reason": reason})
        return value


@pytest.mark.parametrize(
    ("body", "message", "type"),
    [
        # It stands in the source, so that a word in common is chance.
        ({"even": 7}, "Value error, must be even, not 7 or 9", "value_error"),
        ({"large": 2}, "Value error, must be at least 30", "value_error"),
        ({"named": "ada"}, "that name is taken", "taken"),
        # What fills a template may be a piece of what was sent.
        ({"mail": "x"}, "not an address", "mail"),
        # It may be a piece of what was sent.
        ({"named": "name of mine"}, "Input is not valid", "taken"),
    ],
)
def test_messages_of_own_validators_are_told_unless_they_repeat_something(
    body: dict[str, object], message: str, type: str
) -> None:
    app = FastAPI()

    @app.post("/")
    async def own(own: Own) -> None: ...

    add_exception_handlers(app)
    error = TestClient(app).post("/", json=body).json()["errors"][0]
    assert (error["message"], error["type"]) == (message, type)


def test_an_answer_has_not_as_many_errors_as_a_body_can_have(client: TestClient) -> None:
    body = {"pet": {"kind": "dog", "tricks": [1] * (2 * MOST_ERRORS)}}
    assert len(client.post("/body", json=body).json()["errors"]) == MOST_ERRORS
