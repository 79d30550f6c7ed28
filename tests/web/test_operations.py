"""The ids of operations are the same in every process, and one for each method of a route."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel

from fastforge.web.operations import name_operations


class Thing(BaseModel):
    size: int


async def handler(a: Thing, b: Thing) -> list[Thing]:
    return [a, b]


def ids(schema: dict[str, Any], part: str = "paths") -> dict[str, str]:
    return {
        f"{method} {path}": operation["operationId"]
        for path, operations in schema[part].items()
        for method, operation in operations.items()
    }


def several() -> FastAPI:
    """Return an application with routes of several methods in every place."""
    app, inner, late = FastAPI(), APIRouter(), APIRouter(prefix="/late")
    app.add_api_route("/direct/{one}", handler, methods=["POST", "PUT", "DELETE"])
    app.webhooks.add_api_route("hook", handler, methods=["POST", "PUT"])
    inner.add_api_route(
        "/inner", handler, methods=["POST", "PUT"], responses={409: {"model": list[Thing]}}
    )
    app.include_router(inner, prefix="/before")
    name_operations(app)
    late.add_api_route("", handler, methods=["PATCH", "PUT"])
    app.include_router(late)
    return app


def test_each_method_of_a_route_has_an_id_of_its_own_and_nothing_warns() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        schema = several().openapi()
    assert ids(schema) == {
        "delete /direct/{one}": "handler_direct__one__delete",
        "post /direct/{one}": "handler_direct__one__post",
        "put /direct/{one}": "handler_direct__one__put",
        "post /before/inner": "handler_before_inner_post",
        "put /before/inner": "handler_before_inner_put",
        "patch /late": "handler_late_patch",
        "put /late": "handler_late_put",
    }
    assert ids(schema, "webhooks") == {
        "post hook": "handlerhook_post",
        "put hook": "handlerhook_put",
    }
    assert set(schema["components"]["schemas"]) >= {
        "Body_handler_direct__one__delete",
        "Body_handler_before_inner_post",
        "Body_handler_late_patch",
    }


def test_the_schema_is_the_same_in_every_process() -> None:
    program = (
        "import json; from tests.web.test_operations import several;"
        "print(json.dumps(several().openapi()))"
    )

    def written(seed: int) -> str:
        environ = {**os.environ, "PYTHONHASHSEED": str(seed)}
        run = [sys.executable, "-c", program]
        return subprocess.run(run, env=environ, capture_output=True, text=True, check=True).stdout

    first, *others = (written(seed) for seed in range(1, 6))
    assert others == [first] * 4
    assert "handler_late_patch" in first


def test_a_second_document_is_the_first() -> None:
    app = several()
    first = json.dumps(app.openapi())
    assert json.dumps(app.openapi()) == first


def test_a_document_is_worked_on_once_and_stays_as_somebody_changes_it() -> None:
    app = several()
    late = app.openapi()["paths"]["/late"]
    late["patch"] = late.pop("patch")  # to the end
    assert list(app.openapi()["paths"]["/late"]) == ["put", "patch"]
    app.add_api_route("/later", handler, methods=["PUT", "GET"])
    assert list(app.openapi()["paths"]["/late"]) == ["patch", "put"]
    assert ids(app.openapi())["put /later"] == "handler_later_put"


def test_a_route_with_one_method_has_the_id_that_fastapi_gives() -> None:
    def with_routes(app: FastAPI) -> FastAPI:
        router = APIRouter(prefix="/a-b")
        for path, method in (("/x", "GET"), ("/{y}.json", "DELETE"), ("/", "OPTIONS")):
            router.add_api_route(path, handler, methods=[method])
            app.add_api_route(path, handler, methods=[method])
        app.include_router(router)
        return app

    ours = FastAPI()
    name_operations(ours)
    assert with_routes(ours).openapi() == with_routes(FastAPI()).openapi()


def test_ids_that_somebody_has_chosen_hold() -> None:
    def chosen(route: APIRoute) -> str:
        return f"chosen-{route.name}"

    app = FastAPI()
    name_operations(app)
    app.add_api_route("/a", handler, methods=["POST"], operation_id="mine")
    app.add_api_route("/b", handler, methods=["POST"], generate_unique_id_function=chosen)
    router = APIRouter(generate_unique_id_function=chosen)
    router.add_api_route("/c", handler, methods=["POST"], name="c")
    app.include_router(router)
    assert list(ids(app.openapi()).values()) == ["mine", "chosen-handler", "chosen-c"]

    own = FastAPI(generate_unique_id_function=chosen)
    name_operations(own)
    own.add_api_route("/a", handler, methods=["POST"])
    assert list(ids(own.openapi()).values()) == ["chosen-handler"]


def test_ids_that_somebody_gave_twice_are_warned_of_as_before() -> None:
    app = FastAPI()
    name_operations(app)
    app.add_api_route("/a", handler, methods=["POST", "PUT"], operation_id="mine")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        app.openapi()
    assert [str(each.message).partition(" for ")[0] for each in caught] == [
        "Duplicate Operation ID mine"
    ]
