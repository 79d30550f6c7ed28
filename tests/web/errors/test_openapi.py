"""The OpenAPI document says of error answers what they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from fastapi import APIRouter, FastAPI
from fastapi.openapi.models import OpenAPI
from fastapi.openapi.utils import get_openapi
from fastapi.testclient import TestClient
from pydantic import BaseModel

from fastforge.asgi import get_asgi_application
from fastforge.web.errors.handlers import add_exception_handlers
from fastforge.web.errors.openapi import describe_errors
from fastforge.web.errors.resolution import ErrorFormats
from tests.folder import ProjectFolder, isolated

PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
STOCK = {"HTTPValidationError", "ValidationError"}


class Refusal(BaseModel):
    """An answer that a route describes itself."""

    why: str


def described(app: FastAPI) -> FastAPI:
    formats = ErrorFormats()
    add_exception_handlers(app, formats)
    describe_errors(app, formats)
    return app


def application() -> FastAPI:
    app = FastAPI()

    @app.get("/plain")
    async def plain() -> None: ...

    @app.get("/things/{number}")
    async def thing(number: int) -> None: ...

    return app


def responses(app: FastAPI, path: str, method: str = "get") -> dict[str, Any]:
    found: dict[str, Any] = app.openapi()["paths"][path][method]["responses"]
    return found


def is_valid(document: dict[str, Any], reference: dict[str, Any], body: object) -> bool:
    schema = {**reference, "components": document["components"]}
    return jsonschema_rs.validator_for(schema).is_valid(body)


def assert_in_order(document: dict[str, Any]) -> None:
    """The document is OpenAPI, and its schemas are JSON schemas that refer to nothing missing."""
    OpenAPI.model_validate(document)
    schemathesis.openapi.from_dict(document).validate()
    for name, schema in document["components"]["schemas"].items():
        jsonschema_rs.meta.validate(schema)
        assert not is_valid(document, {"$ref": f"#/components/schemas/{name}"}, "no object")


def test_every_operation_says_what_its_errors_are() -> None:
    app = described(application())
    assert responses(app, "/plain")["default"] == {"description": "Error", "content": PROBLEM}
    assert set(responses(app, "/plain")) == {"200", "default"}
    assert set(responses(app, "/things/{number}")) == {"200", "422", "default"}
    assert responses(app, "/things/{number}")["422"]["content"] == PROBLEM
    document = app.openapi()
    assert STOCK.isdisjoint(document["components"]["schemas"])
    assert_in_order(document)


def test_answers_are_what_the_document_says() -> None:
    app = described(application())
    client = TestClient(app)
    document, schema = app.openapi(), PROBLEM["application/problem+json"]["schema"]
    for path in ("/things/x", "/nowhere"):
        body = client.get(path).json()
        assert is_valid(document, schema, body)
        assert not is_valid(document, schema, {**body, "status": "x"})
    assert not is_valid(document, schema, {"detail": "x"})


def test_what_a_route_says_of_itself_stays() -> None:
    app = FastAPI()
    router = APIRouter(responses={422: {"model": Refusal}, "default": {"description": "Mine"}})

    @router.get("/of-router/{number}")
    async def of_router(number: int) -> None: ...

    @app.get("/own/{number}", responses={"4XX": {"model": Refusal}})
    async def own(number: int) -> None: ...

    extra = {"responses": {"422": {"description": "Extra"}}}

    @app.get("/extra/{number}", openapi_extra=extra)
    async def with_extra(number: int) -> None: ...

    app.include_router(router)
    described(app)
    found = responses(app, "/of-router/{number}")
    refusal = {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}
    assert found["422"]["content"] == refusal
    assert found["default"] == {"description": "Mine"}
    assert set(responses(app, "/own/{number}")) == {"200", "4XX", "default"}
    assert responses(app, "/extra/{number}")["422"]["description"] == "Extra"
    assert_in_order(app.openapi())


class ProblemDetails(BaseModel):
    """A model of the user's with the name of one of ours."""

    mine: int


class FieldError(BaseModel):
    """Another one."""

    problem: ProblemDetails


def test_a_model_of_the_users_keeps_its_name() -> None:
    app = application()

    @app.post("/mine")
    async def mine(error: FieldError) -> FieldError:
        return error

    document = described(app).openapi()
    schemas = document["components"]["schemas"]
    assert list(schemas["ProblemDetails"]["properties"]) == ["mine"]
    assert list(schemas["ProblemDetails-Error"]["properties"])[:2] == ["type", "title"]
    items = schemas["ProblemDetails-Error"]["properties"]["errors"]["items"]
    assert items == {"$ref": "#/components/schemas/FieldError-Error"}
    assert_in_order(document)


def test_schemas_that_something_else_refers_to_stay() -> None:
    app = described(application())

    @app.webhooks.post("told")
    async def told(body: Refusal) -> None: ...

    assert set(app.openapi()["components"]["schemas"]) >= STOCK


def test_routes_that_are_not_shown_and_no_routes_at_all_do_no_harm() -> None:
    app = described(FastAPI())
    app.mount("/mounted", FastAPI())
    assert app.openapi()["paths"] == {}
    assert "components" not in app.openapi()

    @app.get("/hidden", include_in_schema=False)
    async def hidden() -> None: ...

    assert app.openapi()["paths"] == {}


def test_the_document_is_made_once_and_again_for_late_routes() -> None:
    app = described(application())
    first = app.openapi()
    assert app.openapi() is first
    assert app.openapi_schema is first

    @app.get("/late")
    async def late() -> None: ...

    assert "default" in responses(app, "/late")


def test_a_document_of_the_users_wins_when_it_is_set_later() -> None:
    app = described(application())
    app.openapi = lambda: {"mine": True}  # type: ignore[method-assign]
    assert app.openapi() == {"mine": True}


def test_a_document_of_the_users_is_completed_when_it_was_set_before() -> None:
    app = application()

    def openapi() -> dict[str, Any]:
        return get_openapi(title="Mine", version="7", routes=app.routes)

    app.openapi = openapi  # type: ignore[method-assign]
    described(app)
    for _ in range(2):
        assert app.openapi()["info"] == {"title": "Mine", "version": "7"}
        assert responses(app, "/plain")["default"]["content"] == PROBLEM


# --- formats -------------------------------------------------------------------------------------

FORMAT = """
    from pydantic import BaseModel
    from fastforge.web import Problem, error_format

    class Errors(BaseModel):
        body: list[str]

    class Refusal(BaseModel):
        errors: Errors

    @error_format({prefix})
    def refusal(problem: Problem) -> Refusal:
        return Refusal(errors=Errors(body=[problem.title]))
    """
ROUTES = """
    from fastapi import APIRouter
    from pydantic import BaseModel

    router = APIRouter()

    class Errors(BaseModel):
        mine: int

    @router.get("/{number}")
    async def show(number: int) -> Errors:
        return Errors(mine=number)
    """


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        folder.write(
            {
                "shop/settings.py": """
                    from fastforge.conf import App

                    INSTALLED_APPS = [
                        App("shop.orders", prefix="/api/orders"),
                        App("shop.depot", prefix="/api/depot"),
                        App("shop.pages"),
                    ]
                    """,
                "shop/orders/routes.py": ROUTES,
                "shop/depot/routes.py": ROUTES,
                "shop/pages/routes.py": ROUTES,
                "shop/orders/errors.py": FORMAT.format(prefix=""),
                "shop/depot/errors.py": FORMAT.format(prefix='prefix="/api", media_type="a/json"'),
            }
        )
        yield folder


def test_each_operation_has_the_format_that_holds_for_it(shop: ProjectFolder) -> None:
    app = get_asgi_application(shop.load())
    document = app.openapi()
    client = TestClient(app)
    expected = {
        "/api/orders/{number}": "application/json",
        "/api/depot/{number}": "a/json",
        "/{number}": "application/problem+json",
    }
    for path, media_type in expected.items():
        found = responses(app, path)
        answer = client.get(path.format(number="x"))
        assert answer.headers["content-type"] == media_type
        for response in (found["422"], found["default"]):
            assert list(response["content"]) == [media_type]
            assert is_valid(document, response["content"][media_type]["schema"], answer.json())
    assert_in_order(document)
