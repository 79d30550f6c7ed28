"""The access line: what it says, in which form, and that it never does harm."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterator
from contextvars import Context
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog
from opentelemetry import trace

from fastforge.observability.access import access_log_of
from fastforge.observability.context import request_id, user_id
from fastforge.observability.lines import ATOMIC_BYTES, LineBuffer
from tests.commanding import start
from tests.folder import ProjectFolder, isolated
from tests.middleware.asgi import access_log_to
from tests.processes import Process, fetch, free_port, wait_until

REQUEST: dict[str, Any] = {
    "request_id": "018f",
    "method": "GET",
    "path": "/orders/7",
    "route": "/orders/{order_id}",
    "status_code": 200,
    "duration_ms": 3.14,
    "client": "192.0.2.1",
}


def written(*, text: bool = False, more: dict[str, Any] | None = None, **other: Any) -> str:
    stream = io.StringIO()
    log = access_log_to(LineBuffer(stream), "console" if text else "json")
    told = {**REQUEST, **other}
    duration_s = told.pop("duration_ms") / 1000
    log.write(**told, duration_s=duration_s, more=more)
    log.close()
    return stream.getvalue()


def test_a_line_is_one_json_object() -> None:
    before = datetime.now(UTC)
    line = written()
    record = json.loads(line)
    at = datetime.fromisoformat(record.pop("timestamp"))
    assert before.replace(microsecond=0) <= at <= datetime.now(UTC)
    origin = {"logger": "fastforge.access", "pid": os.getpid(), "role": "web"}
    assert record == {"level": "info", "event": "request", **origin, **REQUEST}
    assert list(record)[:3] == ["level", "event", "logger"]
    assert line.count("\n") == 1


@pytest.mark.parametrize(
    ("route", "path", "shown"),
    [
        ("/reset/{token}", "/reset/0f3c", "/reset/***"),
        ("/reset/{token}", "/behind/a/proxy/reset/0f3c", "/behind/a/proxy/reset/***"),
        ("/{user}/keys/{api_key}/{n}", "/ada/keys/0f3c/7", "/ada/keys/***/7"),
        ("/{access_token}/{password}/", "/0f3c/0f3d/", "/***/***/"),
        ("/files/{token:path}", "/files/0f3c/0f3d", "/files/***"),
        ("/reset/{token}", "/rewritten/0f3c", "/reset/{token}"),
        ("/orders/{number}", "/orders/0f3c", "/orders/0f3c"),
        (None, "/reset/0f3c", "/reset/0f3c"),
    ],
)
def test_a_parameter_of_a_path_is_masked_by_its_name(
    route: str | None, path: str, shown: str
) -> None:
    assert json.loads(written(route=route, path=path))["path"] == shown
    assert written(text=True, route=route, path=path).split()[4] == shown


@pytest.mark.parametrize(
    ("told", "more", "level"),
    [
        ({"status_code": 404}, {}, "info"),
        ({"status_code": 503}, {}, "warning"),
        ({"status_code": 500}, {"failure": "ValueError"}, "error"),
        ({"status_code": None}, {"cancelled": True}, "info"),
        ({"status_code": 503}, {"code": "middleware.E003"}, "warning"),
        ({"status_code": 413}, {"code": "middleware.E001"}, "info"),
        ({"request_bytes": 17, "response_bytes": 0}, {}, "info"),
    ],
)
def test_what_failed_is_a_warning_and_what_nobody_handled_an_error(
    told: dict[str, Any], more: dict[str, Any], level: str
) -> None:
    record = json.loads(written(**told, more=more or None))
    assert record["level"] == level
    assert {**told, **more}.items() <= record.items()


def test_a_failure_has_its_exception_and_what_was_bound() -> None:
    def fail() -> str:
        structlog.contextvars.bind_contextvars(order=7, password="hunter2")
        try:
            raise LookupError("token=hunter2")
        except LookupError as error:
            return written(status_code=500, error=error, more={"failure": "LookupError"})

    record = json.loads(Context().run(fail))
    assert record["exception"]["type"] == "LookupError"
    assert record["order"] == 7
    assert "hunter2" not in str(record["exception"]["message"])
    assert record["password"] == "***"


def test_who_asks_and_the_trace_are_there_if_the_context_is_that_of_the_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("fastforge.observability.spans.open_tracers", [object()])

    def ask(identity: str) -> dict[str, Any]:
        request_id.set(identity)
        user_id.set("eve")
        span = trace.SpanContext(trace_id=0xABC, span_id=0xDEF, is_remote=False)
        with trace.use_span(trace.NonRecordingSpan(span)):
            found: dict[str, Any] = json.loads(written())
        return found

    mine = Context().run(ask, REQUEST["request_id"])
    assert (mine["user_id"], mine["trace_id"][-3:], mine["span_id"][-3:]) == ("eve", "abc", "def")
    assert not {"user_id", "trace_id", "span_id"} & Context().run(ask, "another").keys()


def test_a_token_in_a_path_is_not_written() -> None:
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJlLXNpZ25hdHVyZQ"
    assert token not in written(path=f"/reset/{token}")


GONE = {"cancelled": True}
STEERING = "/ü" + "\x01" * 100_000


@pytest.mark.parametrize("route", [None, "/{tenant}", STEERING])
@pytest.mark.parametrize(
    "path", ["/\x1b[31m", '/"\n', "/\ud800", STEERING, "/\ud800" + "💥" * 1000]
)
@pytest.mark.parametrize("text", [True, False])
def test_whatever_a_path_holds_a_line_is_one_short_line_that_steers_no_terminal(
    path: str, route: str | None, text: bool
) -> None:
    line = written(text=text, path=path, route=route)
    assert line.count("\n") == 1
    assert line.removesuffix("\n").isprintable()
    assert len(line.encode()) < ATOMIC_BYTES
    assert text or json.loads(line)["method"] == "GET"


def test_the_text_is_what_a_developer_wants_to_see() -> None:
    assert "info     fastforge.access     GET /orders/7 200 3.1 ms" in written(text=True)
    large = written(text=True, request_bytes=5_600_000, response_bytes=1234)
    assert "GET /orders/7 200 3.1 ms 1.2 kB of 5.6 MB" in large
    assert "GET /orders/7 - 3.1 ms" in written(text=True, status_code=None, more=GONE)
    assert "cancelled=True" in written(text=True, status_code=None, more=GONE)


def test_the_text_of_a_failure_has_the_exception_below_it() -> None:
    try:
        raise LookupError("nobody knows")
    except LookupError as error:
        more = {"failure": "LookupError"}
        first, *rest = written(text=True, status_code=500, error=error, more=more).splitlines()
    assert "error    fastforge.access     GET /orders/7 500 3.1 ms" in first
    assert REQUEST["request_id"] in first
    assert rest[-1].strip() == "LookupError: nobody knows"
    assert any('raise LookupError("nobody knows")' in line for line in rest)


@pytest.mark.parametrize(
    ("environment", "settings", "is_there"),
    [
        ("production", 'SECRET_KEY = "k8Zq1vN0yT-4sWbJm7RcXo2LhUfEa9Gd"', True),
        ("development", "", True),
        ("test", "", False),
        ("development", "LOGGING = {'access_line': False}", False),
    ],
)
def test_lines_are_written_unless_the_settings_say_otherwise_and_never_in_tests(
    environment: str, settings: str, is_there: bool, tmp_path: Path
) -> None:
    with isolated(tmp_path) as folder:
        folder.write({"shop/settings.py": settings})
        project = folder.load({"FASTFORGE_ENV": environment})
        assert (access_log_of(project.settings) is not None) == is_there


# --- over real HTTP ------------------------------------------------------------------------------

UVICORN = [sys.executable, "-m", "uvicorn", "shop.asgi:app", "--port"]
OURS = [sys.executable, "serving.py"]
NOBODY_READS = """
import os, sys
reading, writing = os.pipe()
os.dup2(writing, 1)
os.close(reading)
os.execv(sys.argv[1], sys.argv[1:])
"""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        folder.write(
            {
                "pyproject.toml": '[tool.fastforge]\nsettings = "shop.settings"\n',
                "shop/settings.py": 'SECRET_KEY = "k8Zq1vN0yT-4sWbJm7RcXo2LhUfEa9Gd"\n',
                "shop/asgi.py": """
                    from fastforge.asgi import get_asgi_application

                    app = get_asgi_application()
                    """,
                "serving.py": """
                    import sys
                    from fastforge.server.serve import bind, serve

                    sys.exit(serve("shop.asgi:app", bind("127.0.0.1", int(sys.argv[1]))))
                    """,
            }
        )
        yield folder


def serve(
    shop: ProjectFolder, argv: list[str], environment: str = "production"
) -> tuple[Process, str]:
    port = free_port()
    env = {"FASTFORGE_ENV": environment, "FASTFORGE_LOG_FORMAT": ""}
    return start([*argv, str(port)], cwd=shop.path, env=env), f"http://127.0.0.1:{port}"


def test_our_server_leaves_the_lines_to_the_application(shop: ProjectFolder) -> None:
    process, url = serve(shop, OURS)
    with process as server:
        wait_until(lambda: fetch(f"{url}/nothing?secret=sesame"), describe=server)
        server.wait_for('"event":"request"')
        server.terminate()
        assert server.wait() == 0
        line, *_ = (each for each in server.output.splitlines() if '"event":"request"' in each)
    record = json.loads(line)
    assert (record["path"], record["status_code"]) == ("/nothing", 404)
    assert "sesame" not in line


def test_in_development_a_line_is_a_text(shop: ProjectFolder) -> None:
    process, url = serve(shop, OURS, "development")
    with process as server:
        wait_until(lambda: fetch(f"{url}/nothing"), describe=server)
        server.wait_for("GET /nothing 404")


def test_another_server_that_is_told_to_stop_loses_no_line(shop: ProjectFolder) -> None:
    process, url = serve(shop, UVICORN)
    with process as server:
        wait_until(lambda: fetch(f"{url}/readyz"), describe=server)
        for number in range(20):
            fetch(f"{url}/{number}")
        server.terminate()
        server.wait()
        lines = [line for line in server.output.splitlines() if '"event":"request"' in line]
    assert [json.loads(line)["path"] for line in lines] == [f"/{number}" for number in range(20)]


def test_a_server_whose_standard_output_nobody_reads_answers(shop: ProjectFolder) -> None:
    process, url = serve(shop, [sys.executable, "-c", NOBODY_READS, *OURS])
    with process as server:
        wait_until(lambda: fetch(f"{url}/nothing"), describe=server)
        assert [getattr(fetch(f"{url}/{number}"), "status", 0) for number in range(3)] == [404] * 3
        server.terminate()
        assert server.wait() == 0
