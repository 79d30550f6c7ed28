"""What the settings say of hosts, proxies, browsers, probes and docs holds for every answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI, Request, WebSocket
from fastapi.testclient import TestClient
from starlette.responses import PlainTextResponse
from starlette.websockets import WebSocketDisconnect

from fastforge.asgi import get_asgi_application
from fastforge.web import time_limit
from tests.folder import isolated

PROXY, CLIENT, FORGED = "10.0.0.1", "203.0.113.7", "6.6.6.6"
SHOP, EVIL = "https://shop.example", "https://evil.example"


def router() -> APIRouter:
    routes = APIRouter()

    @routes.get("/who")
    async def who(request: Request) -> list[str]:
        client = request.client
        return [client.host if client else "", request.url.scheme, request.state.request_id]

    @routes.get("/framed")
    async def framed() -> PlainTextResponse:
        return PlainTextResponse("", headers={"X-Frame-Options": "SAMEORIGIN"})

    @routes.get("/boom")
    async def boom() -> None:
        raise ValueError("inside")

    @routes.get("/slow")
    @time_limit(0.05)
    async def slow() -> None:
        import asyncio

        await asyncio.sleep(60)

    @routes.post("/body")
    async def body(request: Request) -> int:
        return len(await request.body())

    @routes.websocket("/socket")
    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()
        client = websocket.client
        await websocket.send_json([client.host if client else "", websocket.url.scheme])
        await websocket.close()

    return routes


Client = Callable[..., Any]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Client]:
    """Serve a project with some settings: a client whose peer may be a proxy."""
    with isolated(tmp_path) as folder:

        @contextmanager
        def client(
            settings: Mapping[str, Any] | None = None,
            *,
            environment: str = "test",
            peer: str = "testclient",
            app: FastAPI | None = None,
        ) -> Iterator[TestClient]:
            folder.write({"shop/settings.py": ""})
            project = folder.load({"FASTFORGE_ENV": environment})
            project = project.overriding(settings=settings or {})
            served = get_asgi_application(project, app=app)
            served.include_router(router())
            with TestClient(
                served,
                raise_server_exceptions=False,
                client=(peer, 50000),
                base_url="http://testserver",
            ) as client:
                yield client

        yield client


# --- hosts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("allowed", "environment", "host", "status"),
    [
        (["shop.example"], "production", "shop.example:8000", 200),
        (["shop.example"], "production", "evil.example", 400),
        (["shop.example"], "production", "testserver", 400),
        (["shop.example"], "test", "testserver", 200),
        (["*"], "production", "evil.example", 200),
        (["*"], "production", "evil example", 400),
    ],
)
def test_another_host_is_refused(
    serve: Client, allowed: list[str], environment: str, host: str, status: int
) -> None:
    with serve({"ALLOWED_HOSTS": allowed}, environment=environment) as client:
        assert client.get("/who", headers={"host": host}).status_code == status


def test_a_socket_for_another_host_is_refused(serve: Client) -> None:
    with serve() as client:
        with (
            pytest.raises(WebSocketDisconnect),
            client.websocket_connect("/socket", headers={"host": "evil.example"}),
        ):
            pass
        with client.websocket_connect("/socket") as socket:
            assert socket.receive_json() == ["testclient", "ws"]


@pytest.mark.parametrize(
    ("settings", "origin", "is_open"),
    [
        ({}, "http://testserver", True),
        ({}, EVIL, False),
        ({}, "null", False),
        ({"SECURITY": {"socket_origins": [SHOP]}}, SHOP, True),
        ({"SECURITY": {"socket_origins": [SHOP]}}, EVIL, False),
        ({"CORS": {"allow_origins": [SHOP]}}, SHOP, False),
        ({"CORS": {"allow_origins": ["*"]}}, EVIL, False),
        ({"CORS": {"allow_origins": [SHOP], "allow_credentials": True}}, SHOP, True),
        (
            {
                "CORS": {
                    "allow_origin_regex": r"https://[a-z]+\.example",
                    "allow_credentials": True,
                }
            },
            SHOP,
            True,
        ),
    ],
)
def test_a_socket_is_opened_by_pages_that_may_send_cookies(
    serve: Client, settings: dict[str, Any], origin: str, is_open: bool
) -> None:
    with serve(settings) as client:
        if is_open:
            with client.websocket_connect("/socket", headers={"origin": origin}) as socket:
                assert socket.receive_json() == ["testclient", "ws"]
        else:
            with (
                pytest.raises(WebSocketDisconnect),
                client.websocket_connect("/socket", headers={"origin": origin}),
            ):
                pass


def test_a_slash_too_few_leads_nowhere_else(serve: Client) -> None:
    """Also where every host is allowed, and behind a proxy that calls us by another one."""
    with serve({"ALLOWED_HOSTS": ["*"]}, environment="production") as client:
        answer = client.get("/who/", headers={"host": "evil.example"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, "/who")


# --- proxies -------------------------------------------------------------------------------------

FORWARDED = {
    "x-forwarded-for": f"{FORGED}, {CLIENT}",
    "x-forwarded-proto": "https",
    "x-request-id": "from.the-proxy_1",
}


def test_a_trusted_proxy_tells_who_asks_how_and_under_which_id(serve: Client) -> None:
    with serve({"TRUSTED_PROXIES": ["10.0.0.0/8"]}, peer=PROXY) as client:
        answer = client.get("/who", headers=FORWARDED)
        assert answer.json() == [CLIENT, "https", "from.the-proxy_1"]
        assert answer.headers["x-request-id"] == "from.the-proxy_1"
        with client.websocket_connect("/socket", headers=FORWARDED) as socket:
            assert socket.receive_json() == [CLIENT, "wss"]


@pytest.mark.parametrize(
    ("trusted", "peer"), [([], PROXY), (["10.0.0.0/8"], CLIENT), (["unix"], PROXY)]
)
def test_nobody_else_is_believed(serve: Client, trusted: list[str], peer: str) -> None:
    with serve({"TRUSTED_PROXIES": trusted}, peer=peer) as client:
        address, scheme, request_id = client.get("/who", headers=FORWARDED).json()
    assert (address, scheme) == (peer, "http")
    assert request_id != "from.the-proxy_1"


@pytest.mark.parametrize("request_id", ["x" * 65, "a b", "", "\x1b[31m", "a,b"])
def test_an_id_that_could_not_stand_in_a_log_is_not_taken(serve: Client, request_id: str) -> None:
    with serve({"TRUSTED_PROXIES": ["10.0.0.0/8"]}, peer=PROXY) as client:
        headers = {"x-request-id": request_id.encode()}
        assert client.get("/who", headers=headers).headers["x-request-id"] != request_id


# --- headers for browsers ------------------------------------------------------------------------

DEFAULTS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "strict-origin-when-cross-origin",
    "cross-origin-opener-policy": "same-origin",
}


@pytest.mark.parametrize(
    ("path", "status"), [("/who", 200), ("/nowhere", 404), ("/boom", 500), ("/slow", 504)]
)
def test_every_answer_has_the_security_headers(serve: Client, path: str, status: int) -> None:
    with serve() as client:
        answer = client.get(path)
    assert answer.status_code == status
    assert {name: answer.headers.get(name) for name in DEFAULTS} == DEFAULTS
    assert "content-security-policy" not in answer.headers
    assert "strict-transport-security" not in answer.headers


def test_a_refusal_of_the_edge_has_them_too(serve: Client) -> None:
    with serve() as client:
        answer = client.get("/who", headers={"host": "evil.example"})
    assert (answer.status_code, answer.headers["x-frame-options"]) == (400, "DENY")


def test_a_header_that_a_handler_has_set_stays(serve: Client) -> None:
    with serve() as client:
        answer = client.get("/framed")
    assert answer.headers.get_list("x-frame-options") == ["SAMEORIGIN"]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_https_is_asked_for_over_https_alone(serve: Client) -> None:
    settings = {"TRUSTED_PROXIES": [PROXY], "SECURITY": {"hsts_max_age_s": 60}}
    with serve(settings, peer=PROXY) as client:
        plain, secure = client.get("/who"), client.get("/who", headers=FORWARDED)
    assert "strict-transport-security" not in plain.headers
    assert secure.headers["strict-transport-security"] == "max-age=60"


def test_an_empty_value_leaves_a_header_out(serve: Client) -> None:
    with serve({"SECURITY": {"frame_options": "", "referrer_policy": ""}}) as client:
        answer = client.get("/who")
    assert not {"x-frame-options", "referrer-policy"} & set(answer.headers)


# --- other origins -------------------------------------------------------------------------------

CORS = {"allow_origins": [SHOP], "allow_headers": ["Content-Type", "X-Shop"]}
SUBDOMAINS = {"allow_origin_regex": r"https://[a-z]+\.shop\.example"}


def preflight(
    client: TestClient, origin: str, method: str = "POST", headers: str | None = None
) -> Any:
    asked = {"origin": origin, "access-control-request-method": method}
    if headers is not None:
        asked["access-control-request-headers"] = headers
    return client.options("/who", headers=asked)


@pytest.mark.parametrize(
    ("cors", "asked", "status"),
    [
        (CORS, (SHOP,), 200),
        (CORS, (SHOP, "POST", "content-type, x-shop"), 200),
        (CORS, (EVIL,), 400),
        (CORS, (f"{SHOP}.evil.example",), 400),
        (CORS, ("null",), 400),
        (CORS, (SHOP, "BREW"), 400),
        (CORS, (SHOP, "POST", "x-other"), 400),
        (
            {"allow_origin_regex": r"https://[a-z]+\.shop\.example"},
            ("https://a.shop.example",),
            200,
        ),
        ({"allow_origin_regex": r"https://[a-z]+\.shop\.example"}, (f"{EVIL}?.shop.example",), 400),
        ({"allow_origins": ["*"]}, (EVIL,), 200),
        ({**CORS, "allow_methods": ["GET"]}, (SHOP,), 400),
        ({**CORS, "allow_headers": ["*"]}, (SHOP, "POST", "x-other"), 200),
    ],
)
def test_a_preflight_is_answered_as_the_settings_say(
    serve: Client, cors: dict[str, Any], asked: tuple[str, ...], status: int
) -> None:
    with serve({"CORS": cors}) as client:
        answer = preflight(client, *asked)
    assert answer.status_code == status
    allowed = answer.headers.get("access-control-allow-origin")
    if status == 200:
        assert allowed in {asked[0], "*"}
        assert answer.headers["access-control-max-age"] == "600"
    elif asked[0] != SHOP:
        assert allowed is None


def test_cookies_go_along_where_the_settings_say_so(serve: Client) -> None:
    with serve({"CORS": {**CORS, "allow_credentials": True}}) as client:
        for answer in (preflight(client, SHOP), client.get("/who", headers={"origin": SHOP})):
            assert answer.headers["access-control-allow-credentials"] == "true"
            assert answer.headers["access-control-allow-origin"] == SHOP


@pytest.mark.parametrize(
    ("path", "options", "status"),
    [
        ("/who", {}, 200),
        ("/nowhere", {}, 404),
        ("/boom", {}, 500),
        ("/slow", {}, 504),
        ("/body", {"method": "POST", "content": b"x" * 101}, 413),
        ("/who", {"headers": {"host": "evil.example"}}, 400),
        ("/who", {"headers": {f"x-{number}": "y" for number in range(40)}}, 431),
    ],
)
def test_a_page_that_may_ask_may_read_every_answer(
    serve: Client, path: str, options: dict[str, Any], status: int
) -> None:
    settings = {"CORS": CORS, "SERVER": {"max_body_bytes": 100, "max_headers": 30}}
    with serve(settings) as client:
        method = options.pop("method", "GET")
        for origin, allowed in ((SHOP, SHOP), (EVIL, None)):
            headers = {"origin": origin, **options.get("headers", {})}
            answer = client.request(method, path, **{**options, "headers": headers})
            assert answer.status_code == status
            assert answer.headers.get("access-control-allow-origin") == allowed
            assert "Origin" in answer.headers["vary"]
            assert "x-request-id" in answer.headers


def test_a_page_that_was_refused_for_the_load_learns_why(serve: Client) -> None:
    settings = {"CORS": CORS, "SERVER": {"concurrency_limit": 1, "request_timeout_s": 60}}
    answers: list[Any] = []
    app = FastAPI()
    with serve(settings, app=app) as client:

        @app.get("/busy")
        def busy() -> None:
            answers.extend([client.get("/who", headers={"origin": SHOP}), preflight(client, SHOP)])

        client.get("/busy")
    refused, asked_before = answers
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert refused.headers["access-control-allow-origin"] == SHOP
    assert asked_before.status_code == 200


def test_without_the_setting_no_other_origin_is_allowed(serve: Client) -> None:
    with serve() as client:
        assert (
            "access-control-allow-origin"
            not in client.get("/who", headers={"origin": SHOP}).headers
        )
        assert preflight(client, SHOP).status_code == 405


# --- probes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/startupz", "/livez", "/readyz"])
def test_probes_are_answered_for_every_host(serve: Client, path: str) -> None:
    with serve() as client:
        answer = client.get(path, headers={"host": "10.1.2.3:8000"})
        assert (answer.status_code, answer.json()["status"]) == (200, "pass")
        assert answer.headers["content-type"] == "application/health+json"
        assert client.head(path).status_code == 200
        assert client.post(path).status_code == 405


def test_a_project_that_is_not_started_is_not_ready(tmp_path: Path) -> None:
    with isolated(tmp_path) as folder:
        folder.write({"shop/settings.py": ""})
        client = TestClient(get_asgi_application(folder.load()))
        assert client.get("/livez").status_code == 200
        assert client.get("/readyz").status_code == 503
        assert client.get("/startupz").status_code == 503


def test_a_start_is_over_for_as_long_as_the_process_lives(serve: Client) -> None:
    """Also while it stops, when it is not ready any more."""
    with serve() as client:
        assert client.get("/startupz").status_code == 200
        app = client.app
    stopped = TestClient(app)
    assert [stopped.get(path).status_code for path in ("/startupz", "/readyz")] == [200, 503]


@pytest.mark.parametrize(
    ("peer", "headers", "shown"),
    [
        (CLIENT, {}, False),
        ("10.9.9.9", {}, True),
        ("10.9.9.9", {"x-forwarded-for": "10.1.1.1"}, False),
        (PROXY, {"x-forwarded-for": "10.1.1.1"}, True),
        (PROXY, {"x-forwarded-for": f"10.1.1.1, {CLIENT}"}, False),
        (CLIENT, {"authorization": "Bearer not-to-be-guessed-1"}, True),
        (CLIENT, {"authorization": "Bearer not-to-be-guessed-2"}, False),
    ],
)
def test_details_of_health_are_for_those_whom_the_settings_name(
    tmp_path: Path, peer: str, headers: Mapping[str, str], shown: bool
) -> None:
    health = {"details_to": ["10.0.0.0/8"], "details_token": "not-to-be-guessed-1"}
    resources = """
        from fastforge.lifecycle import resource

        async def ping(instance):
            raise ConnectionError("no vault at vault.internal")

        @resource(ping=ping, required=False)
        async def vault():
            yield 1
        """
    with isolated(tmp_path) as folder:
        settings = (
            f"HEALTH = {health}\nTRUSTED_PROXIES = ['{PROXY}']\nINSTALLED_APPS = ['shop.one']\n"
        )
        folder.write({"shop/settings.py": settings, "shop/one/resources.py": resources})
        app = get_asgi_application(folder.load())
        with TestClient(app, client=(peer, 50000)) as client:
            answers = [client.get(f"/readyz{query}", headers=headers) for query in ("?verbose", "")]
    assert ["vault.internal" in answer.text for answer in answers] == [shown, False]
    assert [answer.json()["status"] for answer in answers] == ["warn", "warn"]
    assert answers[1].json()["checks"]["vault"] == [{"status": "fail"}]


def test_probes_stand_where_the_settings_put_them(serve: Client) -> None:
    with serve({"HEALTH": {"live_path": "/up", "ready_path": ""}}) as client:
        statuses = [client.get(path).status_code for path in ("/up", "/livez", "/readyz")]
    assert statuses == [200, 404, 404]


# --- documentation -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "environment", "status"),
    [
        ({}, "test", 200),
        ({}, "production", 404),
        ({"DOCS": True}, "production", 200),
        ({"DOCS": False}, "test", 404),
    ],
)
def test_documentation_is_closed_in_production(
    serve: Client, settings: dict[str, Any], environment: str, status: int
) -> None:
    with serve({**settings, "ALLOWED_HOSTS": ["testserver"]}, environment=environment) as client:
        paths = ("/docs", "/redoc", "/openapi.json", "/docs/oauth2-redirect")
        assert {client.get(path).status_code for path in paths} == {status}


def test_documentation_of_an_application_of_your_own_is_your_business(serve: Client) -> None:
    settings = {"ALLOWED_HOSTS": ["testserver"]}
    with serve(settings, environment="production", app=FastAPI(redoc_url=None)) as client:
        statuses = [client.get(path).status_code for path in ("/docs", "/redoc")]
    assert statuses == [200, 404]
