"""Calls that block raise in the code of a project while its tests run, and not in that of tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.folder import ProjectFolder
from tests.processes import run

FILES = {
    "pyproject.toml": """
        [tool.fastforge]
        settings = "shop.settings"

        [tool.pytest.ini_options]
        addopts = ["--import-mode=importlib", "--strict-markers"]
        filterwarnings = ["error"]
        """,
    "shop/settings.py": """
        from fastforge.conf import env

        SECRET_KEY = env.secret("SECRET_KEY")
        INSTALLED_APPS = ["shop"]
        """,
    "shop/prices.py": """
        from pathlib import Path
        from time import sleep

        async def wait():
            sleep(0.001)

        async def read():
            return Path(__file__).read_text()
        """,
    "shop/routes.py": """
        from fastapi import APIRouter

        from shop import prices

        router = APIRouter()

        @router.get("/prices")
        async def all_prices():
            await prices.wait()

        @router.get("/plain")
        def plain():
            with open(__file__) as file:
                return len(file.read())
        """,
    "tests/helping.py": """
        from pathlib import Path

        def text():
            return Path(__file__).read_text()
        """,
    "tests/test_prices.py": """
        import sys
        import time
        from pathlib import Path

        import httpx
        import pytest

        from fastforge.observability import BlockingCallError
        from shop import prices

        sys.path.insert(0, str(Path(__file__).parent))
        from helping import text

        async def test_code_that_blocks_raises():
            with pytest.raises(BlockingCallError, match=r"prices.py:5: time.sleep\\(\\)"):
                await prices.wait()
            with pytest.raises(BlockingCallError, match="offload"):
                await prices.read()

        async def test_a_handler_that_blocks_raises(client):
            with pytest.raises(BlockingCallError):
                await client.get("/prices")
            assert (await client.get("/plain")).status_code == 200

        def test_it_does_so_in_a_server(live_server):
            assert httpx.get(f"{live_server}/prices").status_code == 500
            assert httpx.get(f"{live_server}/plain").status_code == 200

        async def test_tests_and_their_helpers_may_block(tmp_path):
            time.sleep(0.001)
            (tmp_path / "note").write_text("x")
            assert text()

        @pytest.mark.allow_blocking
        async def test_a_test_may_let_it():
            await prices.wait()

        @pytest.mark.settings(WATCHDOG={"strict": False})
        async def test_a_setting_may_let_it(client):
            assert (await client.get("/prices")).status_code == 200
        """,
}


@pytest.mark.parametrize(
    "runner",
    [
        ["-p", "no:asyncio", "-o", "anyio_mode=auto"],
        ["-o", "asyncio_mode=auto", "-o", "asyncio_default_fixture_loop_scope=function"],
    ],
)
def test_the_code_of_the_project_is_held_to_it(tmp_path: Path, runner: list[str]) -> None:
    ProjectFolder(tmp_path).write(FILES)
    done = run([sys.executable, "-m", "pytest", "-q", *runner], cwd=tmp_path)
    assert "6 passed" in done.stdout, done.stdout


def test_a_project_may_turn_it_off(tmp_path: Path) -> None:
    settings = FILES["shop/settings.py"] + 'WATCHDOG = {"strict": False}\n'
    tests = "async def test_it():\n    from shop import prices\n    await prices.wait()\n"
    ProjectFolder(tmp_path).write(
        FILES | {"shop/settings.py": settings, "tests/test_prices.py": tests}
    )
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:asyncio", "-o", "anyio_mode=auto"]
    done = run(argv, cwd=tmp_path)
    assert "1 passed" in done.stdout, done.stdout
