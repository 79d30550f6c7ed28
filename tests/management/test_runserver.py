"""`runserver`: the port first, one line for every failure, reload in development alone."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from fastforge.exceptions import CommandError
from fastforge.management.commands.runserver import parse_address
from tests.commanding import python, start
from tests.folder import ProjectFolder
from tests.processes import Process, fetch, free_port, wait_until

ROUTES = """
    from fastapi import APIRouter

    router = APIRouter()

    @router.get("/hello")
    async def hello() -> str:
        return "first"
    """


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("", ("127.0.0.1", 8000)),
        ("8001", ("127.0.0.1", 8001)),
        (":8001", ("127.0.0.1", 8001)),
        ("0", ("127.0.0.1", 0)),
        ("0.0.0.0", ("0.0.0.0", 8000)),
        ("0.0.0.0:80", ("0.0.0.0", 80)),
        ("localhost:8001", ("localhost", 8001)),
        ("my-host.example:8001", ("my-host.example", 8001)),
        ("[::1]:8001", ("::1", 8001)),
        ("[::]", ("::", 8000)),
    ],
)
def test_addresses(text: str, address: tuple[str, int]) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    "text", ["::1", "::1:8000", "host:", "host:http", "a b:1", "http://host:1", "host:1/", "[::1"]
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(CommandError, match=r"management\.E011.* is no address .* write 8000, "):
        parse_address(text)


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def runserver(
    shop: ProjectFolder, *arguments: str, env: Mapping[str, str] | None = None
) -> Process:
    return start(
        [sys.executable, "-m", "fastforge", "runserver", *arguments],
        cwd=shop.path,
        env={"FASTFORGE_ENV": "production"} | dict(env or {}),
    )


def answers(process: Process, url: str, text: str) -> bool:
    assert process.alive, str(process)
    answer = fetch(url)
    return answer is not None and text in answer.body


def test_a_port_in_use_is_told_before_anything_is_loaded(shop: ProjectFolder, taken: int) -> None:
    shop.write({"shop/settings.py": "raise SystemExit('the settings have run')"})
    result = python(
        ["-m", "fastforge", "runserver", str(taken)],
        cwd=shop.path,
        env={"FASTFORGE_ENV": "production"},
    )
    assert result.returncode == 3
    assert result.stdout == ""
    assert result.stderr.startswith(f"error: [server.E001] 127.0.0.1:{taken} is in use")
    assert result.stderr.count("\n") == 1


def test_a_failing_start_is_one_line_and_code_3(shop: ProjectFolder) -> None:
    shop.write(
        {
            "shop/settings.py": """
                from fastforge.core.settings import Server

                INSTALLED_APPS = ["shop.notes"]
                SERVER = Server(start_deadline_s=0)
                """,
            "shop/notes/resources.py": """
                from collections.abc import AsyncIterator
                from fastforge import resource

                @resource
                async def desk() -> AsyncIterator[None]:
                    raise OSError("on fire")
                    yield
                """,
        }
    )
    result = python(
        ["-m", "fastforge", "runserver", str(free_port())],
        cwd=shop.path,
        env={"FASTFORGE_ENV": "production"},
    )
    assert result.returncode == 3
    assert "[lifecycle.E004] shop/notes/resources.py:4: the resource 'desk'" in result.stderr
    assert "on fire" in result.stderr
    assert result.stderr.count("\n") == 1, result.stderr


def test_broken_settings_are_one_line(shop: ProjectFolder) -> None:
    shop.write({"shop/settings.py": "INSTALLED_APS = []"})
    result = python(["-m", "fastforge", "runserver", str(free_port())], cwd=shop.path)
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert "did you mean 'INSTALLED_APPS'?" in result.stderr


def test_a_broken_pyproject_is_one_line(shop: ProjectFolder) -> None:
    """Also where it does not name the settings, and is read for the entry point alone."""
    shop.write({"pyproject.toml": "[tool.fastforge\n"})
    result = python(
        ["-m", "fastforge", "runserver", str(free_port())],
        cwd=shop.path,
        env={"FASTFORGE_SETTINGS_MODULE": "shop.settings"},
    )
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("error: [conf.E014] ")
    assert "pyproject.toml: pyproject.toml is not valid TOML: " in result.stderr
    assert result.stderr.count("\n") == 1


def test_production_serves_without_reload_until_it_is_told_to_stop(shop: ProjectFolder) -> None:
    shop.write({"shop/notes/routes.py": ROUTES})
    with runserver(shop, "0", "--workers", "1") as process:
        output = process.wait_for("Ctrl-C stops)\n")
        url, facts = output.splitlines()[0].split(" ", 1)
        assert facts == "(shop.settings, production; Ctrl-C stops)"
        wait_until(lambda: answers(process, f"{url}/hello", "first"), describe=process)
        process.terminate()
        assert process.wait() == 0


def test_one_process_says_why_there_is_one(shop: ProjectFolder) -> None:
    with runserver(shop, "0", env={"WEB_CONCURRENCY": "1"}) as process:
        process.wait_for("1 process serves: WEB_CONCURRENCY\n")


def test_development_takes_up_an_edit(shop: ProjectFolder) -> None:
    shop.write({"shop/notes/routes.py": ROUTES})
    url = f"http://127.0.0.1:{(port := free_port())}/hello"
    with runserver(shop, str(port), env={"FASTFORGE_ENV": "development"}) as process:
        process.wait_for("Ctrl-C stops\n")
        assert "shop.settings, development, reloads on changes\n" in process.output
        wait_until(lambda: answers(process, url, "first"), describe=process)
        shop.write({"shop/notes/routes.py": ROUTES.replace("first", "second")})
        wait_until(lambda: answers(process, url, "second"), describe=process)
        process.interrupt()
        assert process.wait() == 0


def test_reload_can_be_turned_off(shop: ProjectFolder) -> None:
    shop.write({"shop/notes/routes.py": ROUTES})
    env = {"FASTFORGE_ENV": "development"}
    with runserver(shop, "0", "--no-reload", env=env) as process:
        assert "reloads" not in process.wait_for("Ctrl-C stops\n")


def test_broken_settings_are_told_and_shown_until_they_are_mended(shop: ProjectFolder) -> None:
    mended = (shop.path / "shop/settings.py").read_text()
    shop.write({"shop/settings.py": "INSTALLED_APS = []", "shop/notes/routes.py": ROUTES})
    url = f"http://127.0.0.1:{(port := free_port())}/hello"
    with runserver(shop, str(port), env={"FASTFORGE_ENV": "development"}) as process:
        output = process.wait_for("waiting for an edit")
        assert "did you mean 'INSTALLED_APPS'?" in output
        assert "Traceback" not in output
        assert answers(process, url, "did you mean 'INSTALLED_APPS'?")
        shop.write({"shop/settings.py": mended})
        wait_until(lambda: answers(process, url, "first"), describe=process)


def test_a_resource_that_comes_later_is_found_without_an_edit(shop: ProjectFolder) -> None:
    shop.write(
        {
            "shop/notes/routes.py": ROUTES,
            "shop/notes/resources.py": """
                from collections.abc import AsyncIterator
                from pathlib import Path

                from fastforge import resource

                @resource
                async def desk() -> AsyncIterator[str]:
                    yield Path("desk.txt").read_text()
                """,
        }
    )
    url = f"http://127.0.0.1:{(port := free_port())}/hello"
    with runserver(shop, str(port), env={"FASTFORGE_ENV": "development"}) as process:
        process.wait_for("trying again in 3 s")
        assert answers(process, url, "the resource 'desk'")
        (shop.path / "desk.txt").write_text("oak")
        wait_until(lambda: answers(process, url, "first"), describe=process)
        assert "restarting" not in process.output


def test_settings_that_do_not_exist_end_it_in_development_too(shop: ProjectFolder) -> None:
    result = python(
        ["-m", "fastforge", "--settings", "shop.setings", "runserver", "0"],
        cwd=shop.path,
        env={"FASTFORGE_ENV": "development"},
    )
    assert result.returncode == 2
    assert "--settings: the settings module 'shop.setings' does not exist" in result.stderr
    assert "did you mean 'shop.settings'?" in result.stderr


def test_an_edit_of_the_environment_starts_anew(shop: ProjectFolder) -> None:
    """Also one of `.env` and one of `pyproject.toml`, which are no modules."""
    entry = '[tool.fastforge]\nsettings = "shop.settings"\n'
    shop.write({"shop/notes/routes.py": ROUTES, ".env": "FASTFORGE_ENV=development\n"})
    shop.write({"pyproject.toml": entry})
    with start(
        [sys.executable, "-m", "fastforge", "runserver", str(free_port())], cwd=shop.path
    ) as process:
        process.wait_for("Ctrl-C stops\n")
        shop.write({".env": "FASTFORGE_ENV=development\nX=1\n"})
        process.wait_for(".env changed: restarting")
        process.wait_for("serving again")
        shop.write({"pyproject.toml": f"{entry}\n"})
        process.wait_for("pyproject.toml changed: restarting")


def test_jobs_run_in_the_same_process_in_development_unless_told_otherwise(
    shop: ProjectFolder,
) -> None:
    route = """
        import os

        from fastapi import APIRouter

        router = APIRouter()

        @router.get("/worker")
        async def worker() -> str:
            return f"worker {os.environ.get('FASTFORGE_EMBEDDED_WORKER')}"
        """
    shop.write({"shop/notes/routes.py": route})
    cases = (
        ("development", [], "worker 1"),
        ("development", ["--no-worker"], "worker None"),
        ("production", [], "worker None"),
    )
    for environment, options, text in cases:
        port = str(free_port())
        env = {"FASTFORGE_ENV": environment}
        with runserver(shop, port, "--no-reload", *options, env=env) as process:
            url = f"http://127.0.0.1:{port}/worker"
            wait_until(lambda: answers(process, url, text), describe=process)  # noqa: B023


def test_the_settings_that_are_named_hold_in_the_application(shop: ProjectFolder) -> None:
    """Also for an `asgi.py` that names none, and below `src`."""
    (shop.path / "shop").rename(shop.path / "moved")
    (shop.path / "src").mkdir()
    (shop.path / "moved").rename(shop.path / "src" / "shop")
    shop.write(
        {
            "src/shop/asgi.py": """
                from fastforge.asgi import get_asgi_application

                app = get_asgi_application()
                """,
            "src/shop/other.py": """
                from .settings import *
                from fastforge.conf import App

                INSTALLED_APPS = [App("shop.notes", prefix="/other")]
                """,
            "src/shop/notes/routes.py": ROUTES,
        }
    )
    port = free_port()
    for reload in ("--reload", "--no-reload"):
        argv = [sys.executable, "-m", "fastforge", "--settings", "shop.other"]
        with start([*argv, "runserver", str(port), reload], cwd=shop.path) as process:
            url = f"http://127.0.0.1:{port}/other/hello"
            wait_until(lambda: answers(process, url, "first"), describe=process)  # noqa: B023
            process.terminate()
            assert process.wait() == 0


def test_the_entry_point_in_pyproject_is_what_is_served(shop: ProjectFolder, nowhere: Path) -> None:
    shop.write(
        {
            "pyproject.toml": (
                '[tool.fastforge]\nsettings = "shop.settings"\n'
                '[tool.fastapi]\nentrypoint = "shop.main:application"\n'
            ),
            "shop/main.py": """
                from fastapi import FastAPI
                from fastforge.asgi import get_asgi_application

                application = get_asgi_application(app=FastAPI(title="mine"))
                """,
        }
    )
    port = free_port()
    with runserver(shop, str(port), "--workers", "1") as process:
        url = f"http://127.0.0.1:{port}/openapi.json"
        wait_until(lambda: answers(process, url, '"mine"'), describe=process)
