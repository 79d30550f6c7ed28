"""`manage check` tells of a blocking call with its place, its way there and what to write."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fastforge.checks import run_checks
from tests.folder import ProjectFolder, isolated

SETTINGS = 'INSTALLED_APPS = ["shop.reports"]'
BLOCKS = "and everything else in this process waits with it"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        folder.write({"shop/settings.py": SETTINGS})
        yield folder


def told(shop: ProjectFolder, files: dict[str, str]) -> list[str]:
    shop.write(files)
    messages = run_checks(shop.load(), tags=["blocking"])
    return [str(message).replace(f"{shop.path}/", "") for message in messages]


def body_told(shop: ProjectFolder, statement: str, imports: str = "") -> str:
    source = f"import time\n{imports}\nasync def report(number):\n    {statement}\n"
    [message] = told(shop, {"shop/reports/work.py": source})
    return message.partition("waits with it; ")[2] or message


def test_a_message_names_the_helper_in_another_module_and_the_line_that_blocks(
    shop: ProjectFolder,
) -> None:
    """Nothing is imported for it: the module asks for a library that is not there."""
    files = {
        "shop/reports/printing.py": """
            from shop.work import render as draw

            import no_such_library


            async def report(number: int) -> str:
                return draw(number)
            """,
        "shop/work.py": """
            import time


            def render(number: int) -> str:
                time.sleep(1)
                return str(number)
            """,
    }
    assert told(shop, files) == [
        "warning [blocking.W002] shop/reports/printing.py:7:12: report() -> render()"
        f" (shop/work.py:5): time.sleep waits, {BLOCKS}; write: await offload(draw, number)"
    ]


@pytest.mark.parametrize(
    ("imports", "statement", "cure"),
    [
        ("", "time.sleep(number)", "write: await asyncio.sleep(number)"),
        (
            "import shutil",
            "shutil.copy('a', str(number))",
            "write: await offload(shutil.copy, 'a', str(number))",
        ),
        (
            "import shutil",
            "shutil.copy('a', 'b', follow_symlinks=False)",
            "write: await offload(functools.partial(shutil.copy, 'a', 'b', follow_symlinks=False))",
        ),
        (
            "import requests",
            "requests.get('http://x', timeout=number)",
            "write: await http.get('http://x', timeout=number) with HttpClient; or write: await"
            " offload(functools.partial(requests.get, 'http://x', timeout=number))",
        ),
        (
            "",
            "open('a').read()",
            "write: await anyio.open_file(...); or move what is done with it into a plain def, and"
            " write: await offload(function, ...)",
        ),
        ("", "input()", "write: await offload(input)"),
        ("import threading\nlock = threading.Lock()", "lock.acquire()", "use: an asyncio.Lock"),
    ],
)
def test_the_cure_can_be_typed_as_it_stands(
    shop: ProjectFolder, imports: str, statement: str, cure: str
) -> None:
    assert body_told(shop, statement, imports) == cure


def test_an_event_loop_in_an_event_loop_is_an_error(shop: ProjectFolder) -> None:
    assert body_told(shop, "asyncio.run(report(1))", "import asyncio") == (
        "error [blocking.E001] shop/reports/work.py:4:5: report(): asyncio.run raises RuntimeError:"
        " it is not for code that an event loop runs already; write: await report(1)"
    )


def test_names_are_followed_through_modules_of_the_project(shop: ProjectFolder) -> None:
    """A package beside the settings, relative imports, a client made elsewhere, a type's name."""
    files = {
        "shop/reports/__init__.py": "",
        "shop/reports/routes.py": """
            from libs import stores
            from libs.stores import Db
            from . import clients
            from .clients import session as http

            async def one(db: Db):
                http.get("http://x")
                clients.session.post("http://x")
                stores.cache.get("x")
                db.commit()
                clients.Remote().ask()
            """,
        "shop/reports/clients.py": """
            import requests

            session = requests.Session()

            class Remote:
                def ask(self):
                    return session.get("http://x")
            """,
        "libs/__init__.py": "",
        "libs/stores.py": """
            from typing import Annotated

            import redis
            from sqlalchemy.orm import Session

            cache = redis.Redis()
            Db = Annotated[Session, "a database"]
            """,
    }
    found = [message.split(": ")[1:3] for message in told(shop, files)]
    assert [what.partition(" waits")[0] for _, what in found] == [
        "requests.Session.get",
        "requests.Session.post",
        "redis.Redis.get",
        "sqlalchemy.orm.Session.commit",
        "requests.Session.get",
    ]


def test_tests_and_commands_are_left_out_and_what_is_no_app_is_not(shop: ProjectFolder) -> None:
    """A command has its process to itself."""
    blocks = "import time\nasync def work():\n    time.sleep(1)\n"
    files = {
        f"shop/{name}": blocks
        for name in (
            "reports/commands/prune.py",
            "reports/tests/test_work.py",
            "reports/test_more.py",
            "reports/migrations/0001_initial.py",
            "tests/helpers.py",
            "conftest.py",
            "background.py",
        )
    }
    assert [message.split(":")[0] for message in told(shop, files)] == [
        "warning [blocking.W002] shop/background.py"
    ]


def test_a_line_is_silenced_with_its_reason(shop: ProjectFolder) -> None:
    source = """
        import time

        async def work():
            time.sleep(0)  # silenced blocking.W002: gives way to another thread
            time.sleep(1)  # silenced blocking.W002
        """
    [message] = told(shop, {"shop/reports/work.py": source})
    assert "shop/reports/work.py:5:5:" in message
