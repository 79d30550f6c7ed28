"""Take the picture of the error page in the documentation: docs/images/error-page.png.

Usage: python scripts/error_page_picture.py
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "images" / "error-page.png"
WIDTH, HEIGHT = 980, 1180
SHOP = {
    "pyproject.toml": '[tool.fastforge]\nsettings = "shop.settings"\n',
    "shop/__init__.py": "",
    "shop/settings.py": """\
from fastforge.contrib.db import Database

ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS = ["fastforge.contrib.db", "shop.orders"]
DATABASES = {"default": Database(url="sqlite+aiosqlite:///db.sqlite3")}
""",
    "shop/orders/__init__.py": "",
    "shop/orders/routes.py": """\
from dataclasses import dataclass

from fastapi import APIRouter
from sqlalchemy import text

from fastforge.contrib.db import DbSession

router = APIRouter(prefix="/orders")


@dataclass
class Customer:
    name: str
    api_key: str


@router.get("/{customer_id}/mean")
async def mean(customer_id: int, db: DbSession, currency: str = "EUR") -> float:
    \"\"\"The mean of what a customer has paid.\"\"\"
    customer = Customer("Ada Lovelace", api_key="k-7f3a9c21")
    totals: list[int] = []
    for month in range(1, 7):
        totals += await db.scalars(text("SELECT :month WHERE :month > 12"), {"month": month})
    return sum(totals) / len(totals)
""",
}


def main() -> None:
    """Serve a project that fails, and take the picture."""
    sys.path.insert(0, str(ROOT))
    from playwright.sync_api import sync_playwright

    from tests.processes import fetch, free_port, start, wait_until
    from tests.services import find_chromium

    with tempfile.TemporaryDirectory() as name:
        for file, text in SHOP.items():
            path = Path(name, file)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        argv = [sys.executable, "-m", "fastforge", "runserver", f"127.0.0.1:{port}", "--no-reload"]
        environ = {"FASTFORGE_ENV": "development", "SECRET_KEY": "k" * 50}
        with start(argv, cwd=Path(name), env=environ) as server, sync_playwright() as playwright:
            wait_until(lambda: fetch(f"{url}/livez"), describe=server)
            browser = playwright.chromium.launch(
                executable_path=str(find_chromium()), args=["--no-sandbox"]
            )
            page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
            page.goto(f"{url}/orders/7/mean?currency=EUR")
            PICTURE.parent.mkdir(exist_ok=True)
            page.screenshot(path=PICTURE)
            browser.close()


if __name__ == "__main__":
    main()
