"""Each check of what a deployment may get wrong has settings that fail it, and some that pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pytest

from fastforge import Project
from fastforge.checks import Message, run_checks
from tests.folder import isolated

KEY = "k8Zq1vN0yT-4sWbJm7RcXo2LhUfEa9Gd_PiQ3nKwBzY6tVxC"
SHOP = {
    "shop/settings.py": """
        from fastforge.conf import env

        SECRET_KEY = env.secret("SECRET_KEY", default="")
        INSTALLED_APPS = ["shop.orders"]
        TASKS = {"backend": "memory"}
        """,
    "shop/orders/tasks.py": """
        from fastforge import task

        @task
        async def ship() -> None: ...
        """,
}
ENVIRON = {"FASTFORGE_ENV": "production", "SECRET_KEY": KEY}
SANE = {"ALLOWED_HOSTS": ["shop.example", "*.shop.example"], "TRUSTED_PROXIES": ["10.0.0.0/8"]}


class Case(NamedTuple):
    """An id, settings that are told of, and settings that are not."""

    id: str
    wrong: Mapping[str, Any]
    right: Mapping[str, Any]


def server(id: str, wrong: dict[str, Any], right: dict[str, Any]) -> Case:
    return Case(id, {"SERVER": wrong}, {"SERVER": right})


def security(id: str, wrong: dict[str, Any], right: dict[str, Any]) -> Case:
    return Case(id, {"SECURITY": wrong}, {"SECURITY": right})


def cors(id: str, wrong: dict[str, Any], right: dict[str, Any]) -> Case:
    return Case(id, {"CORS": wrong}, {"CORS": right})


def logging(id: str, wrong: dict[str, Any], right: dict[str, Any]) -> Case:
    return Case(id, {"LOGGING": wrong}, {"LOGGING": right})


def tasks(id: str, wrong: dict[str, Any], right: dict[str, Any]) -> Case:
    memory = {"backend": "memory"}
    return Case(id, {"TASKS": {**memory, **wrong}}, {"TASKS": {**memory, **right}})


HTTPS = ["https://shop.example"]
CASES = (
    Case("core.E001", {"SECRET_KEY": "short"}, {"SECRET_KEY": KEY}),
    Case("core.E002", {"DEBUG": True}, {"DEBUG": False}),
    Case("core.E006", {"SECRET_KEY": f"{KEY}-Change-Me"}, {"SECRET_KEY": f"{KEY}-change-you"}),
    Case("core.E007", {"SECRET_KEY": "0123456789abcdef" * 3}, {"SECRET_KEY": KEY}),
    Case(
        "core.E007", {"SECRET_KEY": "ab" * 20 + "c"}, {"SECRET_KEY": "3f9c02d1b7e84a65" + KEY[:16]}
    ),
    Case("core.E001", {"SECRET_KEY_FALLBACKS": [KEY, "old"]}, {"SECRET_KEY_FALLBACKS": [KEY]}),
    Case("core.E006", {"SECRET_KEY_FALLBACKS": [f"{KEY}-changeme"]}, {}),
    Case("core.E007", {"SECRET_KEY_FALLBACKS": ["0123456789abcdef" * 3]}, {}),
    Case("web.E011", {"TRUSTED_PROXIES": ["::/0"]}, {"TRUSTED_PROXIES": ["fd00::/8"]}),
    Case("web.W012", {"ALLOWED_HOSTS": ["*"]}, {"ALLOWED_HOSTS": ["shop.example"]}),
    Case("web.W060", {"ALLOWED_HOSTS": ["*.com"]}, {"ALLOWED_HOSTS": ["*.a.com", "*.internal"]}),
    Case("web.W061", {"ALLOWED_HOSTS": ["localhost", "[::1]"]}, {"ALLOWED_HOSTS": ["10.1.2.3"]}),
    Case(
        "web.W062",
        {"TRUSTED_PROXIES": ["0.0.0.0/1", "10.0.0.0/8"]},
        {"TRUSTED_PROXIES": ["104.16.0.0/13", "unix", "2606:4700::/32"]},
    ),
    cors("web.W063", {"allow_origins": ["*"]}, {"allow_origins": HTTPS}),
    cors("web.W064", {"allow_origins": ["http://shop.example"]}, {"allow_origins": HTTPS}),
    cors("web.W065", {"allow_origins": ["http://localhost:3000"]}, {"allow_origins": HTTPS}),
    cors(
        "web.W066",
        {"allow_origin_regex": r"https://.*.shop\.example"},
        {"allow_origin_regex": r"https://[a-z.]+\.shop\.example"},
    ),
    cors(
        "web.W066",
        {"allow_origin_regex": r"https://(.*)shop\.example"},
        {"allow_origin_regex": r"https://(.*\.)?shop\.example"},
    ),
    security("web.W067", {"hsts_max_age_s": 0}, {}),
    security("web.W068", {"hsts_max_age_s": 3600}, {"hsts_max_age_s": 2_592_000}),
    security("web.W069", {"content_type_options": ""}, {}),
    security(
        "web.W070",
        {"frame_options": ""},
        {"frame_options": "", "content_security_policy": "frame-ancestors https://a.example"},
    ),
    security("web.W071", {"referrer_policy": "unsafe-url"}, {"referrer_policy": "no-referrer"}),
    security(
        "web.W072",
        {"content_security_policy": "default-src 'self'; script-src 'self' 'unsafe-inline'"},
        {"content_security_policy": "default-src *; script-src 'nonce-a' 'unsafe-inline'"},
    ),
    security(
        "web.W072",
        {"content_security_policy": "default-src *"},
        {"content_security_policy": "default-src 'self'; img-src *"},
    ),
    security("web.W075", {"socket_origins": ["*"]}, {"socket_origins": HTTPS}),
    Case(
        "web.E061",
        {"HEALTH": {"details_to": ["0.0.0.0/0"]}},
        {"HEALTH": {"details_to": ["10.0.0.0/8"]}},
    ),
    Case("web.W073", {"HEALTH": {"ready_path": ""}}, {"HEALTH": {"live_path": ""}}),
    server("server.W001", {"request_timeout_s": 0}, {"request_timeout_s": 30}),
    server("server.W004", {"keep_alive_s": 20}, {"keep_alive_s": 0}),
    server("server.W011", {"max_body_bytes": 2**28}, {"max_body_bytes": 2**25}),
    server("server.W012", {"max_header_bytes": 2**20}, {"max_header_bytes": 2**16}),
    server("server.W012", {"max_headers": 5000}, {"max_headers": 200}),
    server("server.W013", {"header_timeout_s": 0}, {"header_timeout_s": 20}),
    server("server.W013", {"header_timeout_s": 600}, {}),
    server("server.W014", {"body_timeout_s": 0}, {"body_timeout_s": 60}),
    server("server.W014", {"min_body_bytes_per_s": 0}, {"min_body_bytes_per_s": 100}),
    server("server.W015", {"write_timeout_s": 0}, {"write_timeout_s": 5}),
    server("server.W016", {"keep_alive_s": 0}, {"keep_alive_s": 75}),
    server("server.W017", {"max_form_fields": 100_000}, {"max_form_fields": 5000}),
    server("server.W018", {"drain_s": 0}, {"drain_s": 0, "pre_stop_s": 10}),
    server("server.W019", {"graceful_s": 0, "request_timeout_s": 1}, {}),
    server("server.W020", {"start_deadline_s": 0}, {"start_deadline_s": 10}),
    server("server.W021", {"max_requests": 100}, {"max_requests": 10_000}),
    server("server.W024", {"websocket_pong_s": 0}, {"websocket_pong_s": 5}),
    server("server.W025", {"websocket_max_message_bytes": 2**28}, {}),
    server("server.W026", {"websocket_ping_s": 60}, {"websocket_ping_s": 30}),
    logging("logging.W001", {"format": "console"}, {"format": "json"}),
    logging("logging.W002", {"access_line": False}, {}),
    logging("logging.W003", {"level": "debug"}, {"level": "info"}),
    logging("logging.W003", {"levels": {"shop": "debug"}}, {"levels": {"shop": "error"}}),
    logging("logging.W004", {"level": "error"}, {"level": "warning"}),
    Case("watchdog.W001", {"WATCHDOG": {"enabled": False}}, {"WATCHDOG": {"enabled": True}}),
    Case("watchdog.W002", {"WATCHDOG": {"strict": True}}, {"WATCHDOG": {"strict": False}}),
    tasks("tasks.W052", {"lease_s": 2}, {"lease_s": 10}),
    tasks("tasks.W053", {"drain_s": 0}, {"drain_s": 1}),
    tasks("tasks.W054", {"keep_dead_s": 3600}, {"keep_dead_s": 7 * 86_400}),
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    with isolated(tmp_path_factory.mktemp("deploy")) as folder:
        folder.write(SHOP)
        yield folder.load(ENVIRON)


def found(project: Project, settings: Mapping[str, Any]) -> dict[str, Message]:
    changed = project.overriding(settings={**SANE, **settings})
    return {message.id: message for message in run_checks(changed, deploy=True)}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.id} {case.wrong}"[:60])
def test_it_is_told_where_it_is_wrong_and_not_where_it_is_right(
    project: Project, case: Case
) -> None:
    wrong, right = found(project, case.wrong), found(project, case.right)
    assert case.id in wrong
    assert wrong[case.id].hint
    assert case.id not in right


def test_nothing_but_the_backend_is_told_of_sane_settings(project: Project) -> None:
    assert set(found(project, {})) == {"tasks.W002"}
