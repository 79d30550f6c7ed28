"""Static files of apps and of the project are served, and nothing else is."""

from __future__ import annotations

import http.client
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from fastforge.asgi import get_asgi_application
from fastforge.checks import run_checks
from fastforge.contrib.static import Static, static_url
from fastforge.exceptions import SettingsError
from tests.commanding import start
from tests.folder import ProjectFolder, isolated
from tests.processes import fetch, free_port, wait_until

SHOP = {
    "shop/settings.py": """
        from fastforge.contrib.static import Static

        INSTALLED_APPS = ["fastforge.contrib.static", "shop.blog", "shop.news"]
        STATIC = Static(directories=["static"])
        """,
    "shop/asgi.py": """
        from fastforge.asgi import get_asgi_application

        app = get_asgi_application()
        """,
    "shop/blog/__init__.py": "",
    "shop/news/__init__.py": "",
    "shop/blog/static/blog/style.css": "p { color: red }",
    "shop/blog/static/robots.txt": "of the blog",
    "shop/blog/static/.secret": "hidden",
    "shop/blog/static/.git/config": "hidden",
    "shop/news/static/robots.txt": "of the news",
    "shop/news/static/logo.txt": "of the news",
    "static/logo.txt": "of the project",
    "secret.txt": "outside",
}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        folder.write(SHOP)
        yield folder


def test_the_first_folder_that_has_a_file_gives_it(shop: ProjectFolder) -> None:
    with TestClient(get_asgi_application(shop.load())) as client:
        answer = client.get("/static/blog/style.css")
        assert (answer.text, answer.headers["content-type"]) == (
            "p { color: red }",
            "text/css; charset=utf-8",
        )
        assert client.get("/static/logo.txt").text == "of the project"
        assert client.get("/static/robots.txt").text == "of the blog"
        for absent in ("/static/nothing.css", "/static/blog", "/static/blog/", "/static/"):
            assert client.get(absent).status_code == 404, absent
        assert client.get("/static/robots.txt/").status_code == 404
        assert client.post("/static/robots.txt").status_code in (404, 405)


def test_a_browser_asks_again_in_development_and_not_at_once_in_production(
    shop: ProjectFolder,
) -> None:
    for environment, expected in (("test", "no-cache"), ("production", "public, max-age=60")):
        application = get_asgi_application(shop.load({"FASTFORGE_ENV": environment}))
        with TestClient(application, base_url="http://localhost") as client:
            answer = client.get("/static/robots.txt")
            assert answer.headers["cache-control"] == expected
            again = client.get(
                "/static/robots.txt", headers={"if-none-match": answer.headers["etag"]}
            )
            assert (again.status_code, again.text) == (304, "")
            assert again.headers["cache-control"] == expected


def asked(port: int, path: str, method: str = "GET", **headers: str) -> tuple[int, bytes]:
    """Send a path as it is: no client of ours tidies it."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_nothing_outside_and_nothing_hidden_is_ever_served(shop: ProjectFolder) -> None:
    blog = shop.path / "shop/blog/static"
    (blog / "out.txt").symlink_to(shop.path / "secret.txt")
    (blog / "away").symlink_to(shop.path)
    (blog / "in.txt").symlink_to(blog / "robots.txt")
    (blog / "seen.txt").symlink_to(blog / ".secret")
    (blog / "circle").symlink_to(blog / "circle")
    port = free_port()
    server = [sys.executable, "-m", "uvicorn", "shop.asgi:app", "--port", str(port)]
    environ = {"FASTFORGE_SETTINGS_MODULE": "shop.settings", "FASTFORGE_ENV": "test"}
    with start(server, cwd=shop.path, env=environ) as process:
        wait_until(lambda: fetch(f"http://127.0.0.1:{port}/static/robots.txt"), describe=process)
        for path in (
            "/static/../secret.txt",
            "/static/%2e%2e/%2e%2e/%2e%2e/secret.txt",
            "/static/blog/../../../secret.txt",
            "/static/..%2f..%2f..%2fsecret.txt",
            "/static/..%5csecret.txt",
            f"/static/{shop.path}/secret.txt",
            "/static//etc/passwd",
            "/static/out.txt",
            "/static/away/secret.txt",
            "/static/circle",
            "/static/.secret",
            "/static/seen.txt",
            "/static/.git/config",
            "/static/%00",
            f"/static/{'x' * 5000}",
        ):
            assert asked(port, path)[0] == 404, path
        assert asked(port, "/static/in.txt") == (200, b"of the blog")
        assert asked(port, "/static/robots.txt", "HEAD") == (200, b"")
        assert asked(port, "/static/robots.txt", range="bytes=3-5") == (206, b"the")


ROUTES = """
    from fastapi import APIRouter, FastAPI

    router = APIRouter()

    @router.get("/static/{name}.txt")
    async def named(name: str) -> str:
        return f"route {name}"

    everything = APIRouter()

    @everything.get("/{path:path}")
    async def everything_else(path: str) -> str:
        return f"everything {path}"
    """


def test_a_route_below_the_path_is_not_hidden_and_one_for_everything_hides_no_file(
    shop: ProjectFolder,
) -> None:
    shop.write({"shop/blog/routes.py": ROUTES})
    with TestClient(get_asgi_application(shop.load())) as client:
        assert client.get("/static/robots.txt").json() == "route robots"
        assert client.get("/static/blog/style.css").text == "p { color: red }"
        assert client.get("/static/nothing.css").json() == "everything static/nothing.css"


def test_a_folder_that_an_app_gets_while_the_server_runs_is_served(shop: ProjectFolder) -> None:
    shop.write({"shop/settings.py": SHOP["shop/settings.py"].replace('"shop.news"', '"shop.late"')})
    shop.write({"shop/late/__init__.py": ""})
    with TestClient(get_asgi_application(shop.load())) as client:
        assert client.get("/static/late.css").status_code == 404
        shop.write({"shop/late/static/late.css": "p {}"})
        assert client.get("/static/late.css").text == "p {}"


def test_an_application_that_is_mounted_there_keeps_its_place(shop: ProjectFolder) -> None:
    from fastapi import FastAPI

    inner, outer = FastAPI(), FastAPI()

    @inner.get("/robots.txt")
    async def robots() -> str:
        return "mounted"

    outer.mount("/static", inner)
    with TestClient(get_asgi_application(shop.load(), app=outer)) as client:
        assert client.get("/static/robots.txt").json() == "mounted"


def test_an_address_is_quoted_and_knows_what_a_proxy_puts_before_it(shop: ProjectFolder) -> None:
    shop.write(
        {
            "shop/blog/routes.py": """
                from fastapi import APIRouter, Request
                from fastforge.contrib.static import static_url

                router = APIRouter()

                @router.get("/address")
                async def address(request: Request) -> list[str]:
                    return [static_url("/a b/ü.css"), static_url("x.css", request)]
                """
        }
    )
    application = get_asgi_application(shop.load())
    with TestClient(application, root_path="/behind") as client:
        assert client.get("/address").json() == ["/static/a%20b/%C3%BC.css", "/behind/static/x.css"]
        assert client.get("/behind/static/robots.txt").text == "of the blog"


async def test_an_address_can_be_made_in_a_job(shop: ProjectFolder) -> None:
    from fastforge.lifecycle import Role, execute, plan

    async def link() -> str:
        return static_url("x.css")

    async with (
        shop.load().running(Role.WORKER) as container,
        execute(container, plan(link)),
    ):
        assert await link() == "/static/x.css"


def test_the_path_has_a_slash_before_and_none_behind() -> None:
    for url in ("static", "/static/", "/", ""):
        with pytest.raises(SettingsError, match="begin with / and to end without one"):
            Static(url=url)


def test_files_of_one_name_in_two_apps_and_folders_that_are_not_there_are_told(
    shop: ProjectFolder,
) -> None:
    shop.write(
        {"shop/settings.py": SHOP["shop/settings.py"].replace('["static"]', '["static", "assets"]')}
    )
    missing, twice = (str(found) for found in run_checks(shop.load(), tags=["static"]))
    assert "settings.py:4: STATIC.directories names 'assets', which is no folder" in missing
    assert twice.startswith("warning [static.W001] ")
    assert (
        "news/static/robots.txt:1: the apps shop.blog and shop.news both have static/robots.txt:"
        " that of shop.blog is served; move it to static/news/robots.txt" in twice
    )


@pytest.mark.parametrize("directory", ["", ".", "shop", "static/.."])
def test_serving_the_source_of_the_project_is_an_error(shop: ProjectFolder, directory: str) -> None:
    settings = SHOP["shop/settings.py"].replace('["static"]', f'["static", "{directory}"]')
    shop.write({"shop/settings.py": settings})
    (found,) = (str(each) for each in run_checks(shop.load(), tags=["static"]) if each.level >= 40)
    assert found.startswith("error [static.E002] ")
    assert f"STATIC.directories names {directory!r}: the project's source is served" in found
