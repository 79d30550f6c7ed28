"""Error answers look as the app says that declares it, or the longest prefix, else as RFC 9457."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, HTTPException
from fastapi.testclient import TestClient
from pydantic import BaseModel

from fastforge.asgi import get_asgi_application
from fastforge.exceptions import ComponentError, ForgeError
from fastforge.web import Problem, error_format, problem_response
from tests.folder import ProjectFolder, isolated

ROUTES = """
    from fastapi import APIRouter, HTTPException
    from fastforge.web import problem_response

    router = APIRouter()

    @router.get("/raised/{number}")
    async def raised(number: int) -> None:
        raise HTTPException(409, "taken", headers={"x-why": "because"})

    @router.get("/returned")
    async def returned() -> object:
        answer = problem_response(409, detail="taken", code="shop.taken")
        answer.set_cookie("seen", "yes")
        return answer

    @router.get("/failed")
    async def failed() -> None:
        raise ValueError("inside")
    """


def format_of(app: str, prefix: str = "") -> str:
    return f"""
        from dataclasses import dataclass
        from fastforge.web import Problem, error_format

        @dataclass
        class Refusal:
            {app}: str

        @error_format({prefix})
        def refusal(problem: Problem) -> Refusal:
            return Refusal({app}=problem.detail or problem.title)
        """


SHOP = {
    "shop/settings.py": """
        from fastforge.conf import App

        SERVER = {"max_body_bytes": 10}
        INSTALLED_APPS = [
            App("shop.orders", prefix="/api/orders"),
            App("shop.depot", prefix="/api/depot"),
            App("shop.pages"),
        ]
        """,
    "shop/orders/routes.py": ROUTES,
    "shop/depot/routes.py": ROUTES,
    "shop/pages/routes.py": ROUTES,
    "shop/orders/errors.py": format_of("orders"),
    "shop/depot/errors.py": format_of(
        "api", 'prefix="/api", media_type="application/vnd.api+json"'
    ),
}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        folder.write(SHOP)
        yield folder


@pytest.fixture
def client(shop: ProjectFolder) -> Iterator[TestClient]:
    app = get_asgi_application(shop.load())
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "member"),
    [
        ("/api/orders", "orders"),  # its app's own, before the longer-lived prefix
        ("/api/depot", "api"),  # by the prefix
        ("", "detail"),  # by nothing
    ],
)
def test_every_error_answer_of_an_app_looks_the_same(
    client: TestClient, path: str, member: str
) -> None:
    raised, returned = client.get(f"{path}/raised/1"), client.get(f"{path}/returned")
    for answer in (raised, returned):
        assert (answer.status_code, answer.json()[member]) == (409, "taken")
    assert raised.headers["x-why"] == "because"
    assert returned.headers["set-cookie"].startswith("seen=yes")
    if member != "detail":
        assert list(client.get(f"{path}/raised/x").json()) == [member]
        assert client.get(f"{path}/failed").json() == {member: "Internal Server Error"}
        assert client.post(f"{path}/failed").json() == {member: "Method Not Allowed"}
        assert client.get(f"{path}/no/such").json() == {member: "Not Found"}
        large = client.post(f"{path}/returned", content="x" * 11)
        detail = "the body is larger than is accepted here"
        assert (large.status_code, large.json()) == (413, {member: detail})


def test_a_prefix_is_whole_segments(client: TestClient) -> None:
    assert client.get("/api").json() == {"api": "Not Found"}
    assert client.get("/apis").json()["title"] == "Not Found"


def test_the_media_type_is_the_formats(client: TestClient) -> None:
    types = [client.get(path).headers["content-type"] for path in ("/api", "/api/orders", "/x")]
    assert types == ["application/vnd.api+json", "application/json", "application/problem+json"]


def test_the_length_is_that_of_the_body_that_is_sent(client: TestClient) -> None:
    for path in ("/api", "/x"):
        answer = client.get(path)
        head = client.head(path)
        assert answer.headers["content-length"] == str(len(answer.content))
        assert (head.headers["content-length"], head.content) == (str(len(answer.content)), b"")


def test_an_app_behind_a_path_of_a_proxy_finds_its_prefix(shop: ProjectFolder) -> None:
    app = get_asgi_application(shop.load())
    with TestClient(app, root_path="/behind") as client:
        assert client.get("/behind/api/x").json() == {"api": "Not Found"}
        assert client.get("/behind/api/orders/x").json() == {"orders": "Not Found"}


def test_a_mounted_project_keeps_its_formats(shop: ProjectFolder) -> None:
    outer = FastAPI()
    outer.mount("/inner", get_asgi_application(shop.load()))
    client = TestClient(outer, raise_server_exceptions=False)
    assert client.get("/inner/api/orders/raised/1").json() == {"orders": "taken"}
    assert client.get("/inner/api/x").json() == {"api": "Not Found"}
    assert client.get("/x").json() == {"detail": "Not Found"}


def test_a_prefix_may_have_parameters(shop: ProjectFolder) -> None:
    shop.write({"shop/depot/errors.py": format_of("api", 'prefix="/of/{tenant}/api"')})
    app = get_asgi_application(shop.load())

    @app.get("/of/{tenant}/api/thing")
    async def thing(tenant: str) -> None:
        raise HTTPException(404, "no thing")

    with TestClient(app) as client:
        assert client.get("/of/acme/api/thing").json() == {"api": "no thing"}
        assert client.get("/of/acme/api/other").json() == {"api": "Not Found"}
        assert client.get("/of/acme/other").json()["title"] == "Not Found"
    documented = app.openapi()["paths"]["/of/{tenant}/api/thing"]["get"]["responses"]
    assert list(documented["default"]["content"]) == ["application/json"]


def test_a_router_that_another_app_includes_keeps_its_apps_format(shop: ProjectFolder) -> None:
    shop.write(
        {
            "shop/pages/routes.py": """
                from fastapi import APIRouter
                from shop.orders.routes import router as orders

                router = APIRouter()
                router.include_router(orders, prefix="/included")
                """
        }
    )
    with TestClient(get_asgi_application(shop.load())) as client:
        assert client.get("/included/raised/1").json() == {"orders": "taken"}


def test_a_format_that_fails_is_logged_and_the_problem_is_answered_all_the_same(
    shop: ProjectFolder, caplog: pytest.LogCaptureFixture
) -> None:
    shop.write(
        {
            "shop/orders/errors.py": """
                from pydantic import BaseModel
                from fastforge.web import Problem, error_format

                class Refusal(BaseModel):
                    why: str

                @error_format
                def refusal(problem: Problem) -> Refusal:
                    if problem.status == 404:
                        return {"why": 1}
                    return Refusal(why=problem.no_such)
                """
        }
    )
    app = get_asgi_application(shop.load())
    with TestClient(app) as client, caplog.at_level(logging.ERROR, "fastforge.web"):
        answers = [client.get("/api/orders/raised/1"), client.get("/api/orders/x")]
    assert [answer.json()["status"] for answer in answers] == [409, 404]
    assert caplog.messages == ["the error format 'refusal' has failed"] * 2


def test_the_id_of_the_request_is_in_a_problem(client: TestClient) -> None:
    for path in ("/raised/1", "/raised/x", "/returned", "/failed", "/x"):
        answer = client.get(path)
        assert answer.json()["request_id"] == answer.headers["x-request-id"]


async def test_a_problem_is_an_asgi_application_without_an_application() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    response = problem_response(503, "Draining", headers={"retry-after": "5"}, extra={"a": [1]})
    await response({"type": "http", "method": "GET"}, None, send)  # type: ignore[arg-type]
    assert sent[0]["status"] == 503
    assert (b"retry-after", b"5") in sent[0]["headers"]
    assert sent[1]["body"] == response.body
    assert b'"title":"Draining","status":503,"extra":{"a":[1]}' in response.body


# --- declarations --------------------------------------------------------------------------------


class Refusal(BaseModel):
    """A body."""

    why: str


def test_a_declaration_is_a_value() -> None:
    @error_format(prefix="/api")
    def refusal(problem: Problem) -> Refusal:
        return Refusal(why=problem.title)

    assert (refusal.name, refusal.prefix, refusal.media_type) == (
        "refusal",
        "/api",
        "application/json",
    )
    assert refusal.function(Problem(status=404)) == Refusal(why="Not Found")
    with pytest.raises(AttributeError):
        refusal.prefix = "/other"  # type: ignore[misc]


def test_an_async_function_and_a_prefix_that_is_no_path_are_refused() -> None:
    async def refusal(problem: Problem) -> Refusal:
        return Refusal(why=problem.title)

    with pytest.raises(ComponentError, match=r"web\.E030.*'refusal' is async"):
        error_format(refusal)
    for prefix in ("api", "/api/", ""):
        with pytest.raises(ComponentError, match=r"web\.E030.*which is no path; write it like"):
            error_format(prefix=prefix)(lambda problem: Refusal(why=problem.title))


def test_a_declaration_that_could_not_work_is_refused_where_it_stands() -> None:
    def refusal() -> Refusal:
        return Refusal(why="")

    with pytest.raises(ComponentError, match=r"test_formats\.py.* does not take a problem alone"):
        error_format(refusal)  # type: ignore[call-overload]
    with pytest.raises(ComponentError, match=r"test_formats\.py.*@error_format\(prefix='/api'\)"):
        error_format("/api")  # type: ignore[call-overload]
    with pytest.raises(ComponentError, match="has no media type but 'json'"):
        error_format(media_type="json")(lambda problem: Refusal(why=problem.title))
    error_format(media_type="application/json; charset=utf-8")(lambda problem: Refusal(why=""))


@pytest.mark.parametrize(
    ("annotation", "fault"),
    [
        ("", "has no return annotation"),
        (" -> object()", "returns what has no schema"),
        (" -> 'Refusla'", "returns what has no schema: NameError: name 'Refusla'"),
        (" -> 'orders.Refusla'", "returns what has no schema: AttributeError: module"),
        (" -> 'list['", "returns what has no schema: SyntaxError"),
    ],
)
def test_a_format_whose_body_has_no_schema_is_refused_where_it_stands(
    shop: ProjectFolder, annotation: str, fault: str
) -> None:
    shop.write(
        {
            "shop/orders/errors.py": f"""
                from fastforge.web import Problem, error_format
                from shop import orders

                @error_format
                def refusal(problem: Problem){annotation}:
                    return None
                """
        }
    )
    with pytest.raises(ForgeError, match=rf"web\.E031.*shop/orders/errors\.py:4: .*{fault}"):
        shop.load()


@pytest.mark.parametrize("prefix", ["", 'prefix="/api"'])
def test_two_formats_for_one_place_are_refused_naming_both(
    shop: ProjectFolder, prefix: str
) -> None:
    text = format_of("orders", prefix)
    second = f"""
        second = error_format({prefix})(refusal.function)
        """
    shop.write({"shop/orders/errors.py": text + second})
    with pytest.raises(ComponentError, match=r"web\.E032.*refusal.*errors\.py:"):
        get_asgi_application(shop.load())
