"""Take the picture of the example's page: docs/images/page.png.

Usage: python scripts/page_picture.py
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "images" / "page.png"
WIDTH, HEIGHT = 1000, 620
READER, AUTHOR = "user1", "user2"  # of the seed: the first follows the second
DEVELOPMENT = {"FASTFORGE_ENV": "development"}


def main() -> None:
    """Serve a copy of the example with some articles, and take the picture."""
    sys.path.insert(0, str(ROOT))
    from playwright.sync_api import sync_playwright

    from tests.services import find_chromium

    with served_example() as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(find_chromium()), args=["--no-sandbox"]
        )
        take(browser, *site)
        browser.close()


@contextmanager
def served_example() -> Iterator[tuple[str, str]]:
    """Give the address of a copy of the example that has articles, and everybody's password."""
    from tests.example import copy_example
    from tests.processes import clean_environment, fetch, free_port, start, wait_until

    with tempfile.TemporaryDirectory() as name:
        folder = copy_example(Path(name, "example"))
        environ = clean_environment() | DEVELOPMENT
        for command in (["migrate"], ["seed", "--articles", "60", "--users", "8"]):
            argv = [sys.executable, "manage.py", *command]
            done = subprocess.run(
                argv, cwd=folder, env=environ, check=True, stdout=subprocess.PIPE, text=True
            )
        password = done.stdout.split("'")[-2]
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        argv = [sys.executable, "manage.py", "runserver", str(port), "--no-reload"]
        with start(argv, cwd=folder, env=DEVELOPMENT) as server:
            wait_until(lambda: fetch(f"{url}/api/tags"), describe=server)
            yield url, password


def take(browser: Browser, url: str, password: str) -> None:
    """Read as somebody who is told, at this moment, of an article."""
    page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
    page.goto(f"{url}/#/sign-in")
    page.fill("[name=email]", f"{READER}@conduit.test")
    page.fill("[name=password]", password)
    page.press("[name=password]", "Enter")
    page.wait_for_selector('#connection[data-state="open"]')
    page.wait_for_selector(".preview")
    user = {"email": f"{AUTHOR}@conduit.test", "password": password}
    answer = page.request.post(f"{url}/api/users/login", data={"user": user})
    author = {"Authorization": f"Token {answer.json()['user']['token']}"}
    article = {
        "title": "The pattern of the cards",
        "description": "What it weaves",
        "body": "Threads.",
    }
    page.request.post(f"{url}/api/articles", data={"article": article}, headers=author)
    page.wait_for_selector(".toast")
    page.screenshot(path=PICTURE, animations="disabled")
    page.close()


if __name__ == "__main__":
    main()
