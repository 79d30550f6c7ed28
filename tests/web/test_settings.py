"""What would open too much, or could never work, is refused while the settings are read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fastforge.exceptions import ForgeError
from tests.folder import ProjectFolder, isolated


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        yield folder


def refusal(shop: ProjectFolder, settings: str) -> str:
    shop.write({"shop/settings.py": settings})
    with pytest.raises(ForgeError) as caught:
        shop.load()
    return str(caught.value)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ('Cors(allow_origins=["*"], allow_credentials=True)', "name the origins"),
        ('Cors(allow_origin_regex=".*", allow_credentials=True)', "name the origins"),
        ('Cors(allow_origins=["shop.example"])', "write 'https://shop.example'"),
        ('Cors(allow_origins=["//shop.example"])', "write 'https://shop.example'"),
        ('Cors(allow_origins=["https://shop.example/"])', "write 'https://shop.example'"),
        ('Cors(allow_origins=["https://shop.example/x?y"])', "write 'https://shop.example'"),
        ('Cors(allow_origins=["https://Shop.example"])', "write 'https://shop.example'"),
        ('Cors(allow_origins=["https://*.shop.example"])', "write an allow_origin_regex"),
        ('Cors(allow_origin_regex="https://(")', "no regular expression"),
        ('Cors(allow_origins="https://shop.example")', "; write ['https://shop.example']"),
        ('Cors(allow_methods=["get"])', "write 'GET'"),
    ],
)
@pytest.mark.parametrize("form", ["section", "dict"])
def test_cors_that_opens_too_much_or_nothing_is_refused(
    shop: ProjectFolder, written: str, told: str, form: str
) -> None:
    value = written if form == "section" else f"dict({written.removeprefix('Cors(')}"
    line = refusal(shop, f"from fastforge.web import Cors\n\nCORS = {value}\n")
    assert told in line
    assert line.startswith("[conf.E006]")
    assert "settings.py:3" in line


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ('HEALTH = {"live_path": "/up", "ready_path": "/up"}', "both '/up'"),
        ('HEALTH = {"live_path": "/startupz"}', "startup_path and live_path are both '/startupz'"),
        ('HEALTH = {"details_to": ["10.0.0.1/8"]}', "write '10.0.0.0/8'"),
        ('HEALTH = {"details_token": "guess"}', "HEALTH.details_token: a token has at least 16"),
        ('HEALTH = {"live_path": "up"}', "HEALTH.live_path: a path begins with /"),
        ('HEALTH = {"live_path": "/up?x"}', "HEALTH.live_path"),
        (
            'SECURITY = {"referrer_policy": "same-origin\\n"}',
            "SECURITY.referrer_policy: a header is one",
        ),
        ('CORS = ["https://shop.example"]', "; write CORS = Cors(...)"),
        ('SECURITY = {"frame_options": "ALLOW"}', "SECURITY.frame_options"),
        ('TRUSTED_PROXIES = ["10.0.0.1/8"]', "write '10.0.0.0/8'"),
        ('TRUSTED_PROXIES = ["unix", "*"]', "TRUSTED_PROXIES.1"),
        ('ALLOWED_HOSTS = ["https://shop.example"]', "write its host alone: 'shop.example'"),
        ("ALLOWED_HOSTS = []", "no request would be answered"),
        ('ALLOWED_HOSTS = [".shop.example"]', "write '*.shop.example'"),
    ],
)
def test_what_could_never_work_is_refused(shop: ProjectFolder, written: str, told: str) -> None:
    line = refusal(shop, f"{written}\n")
    assert told in line
    assert "settings.py:1" in line
    assert "got" in line


def test_each_wrong_entry_of_a_list_is_told(shop: ProjectFolder) -> None:
    lines = refusal(shop, 'TRUSTED_PROXIES = [\n    "proxy",\n    "10.0.0.0/8",\n    "*",\n]\n')
    first, second = lines.splitlines()
    assert "settings.py:2" in first
    assert "settings.py:4" in second


def test_a_probe_path_may_be_left_out(shop: ProjectFolder) -> None:
    shop.write({"shop/settings.py": 'HEALTH = {"live_path": "", "ready_path": ""}\n'})
    shop.load()
