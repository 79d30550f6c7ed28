"""A shop whose metrics are read as Prometheus reads them."""

from __future__ import annotations

import socket
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.commanding import start
from tests.folder import ProjectFolder
from tests.processes import Process, Response, fetch, free_port, wait_until

SETTINGS = """
from fastforge.contrib.prometheus import Prometheus
from fastforge.core.settings import Server

INSTALLED_APPS = ["fastforge.contrib.prometheus", "shop.notes"]
ALLOWED_HOSTS = ["*"]
SECRET_KEY = "only-for-these-tests-0123456789abcdef0123456789abcdef"
SERVER = Server(drain_s=0.2, linger_s=0.2)
PROMETHEUS = Prometheus(port={port}, directory="metrics"{more})
"""
ROUTES = """
import time

from fastapi import APIRouter

router = APIRouter()


@router.get("/notes/{number}")
async def note(number: int) -> int:
    return number


@router.get("/hang")
async def hang() -> int:
    print("hanging", flush=True)
    time.sleep(3600)
    return 1
"""

Labels = tuple[tuple[str, str], ...]


class Scraped:
    """What one reading has told."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.values: dict[tuple[str, Labels], float] = {}
        self.types: dict[str, str] = {}
        for family in text_string_to_metric_families(text):
            self.types[family.name] = family.type
            for sample in family.samples:
                key = sample.name, tuple(sorted(sample.labels.items()))
                assert key not in self.values, f"told twice: {key}"
                self.values[key] = sample.value

    def __getitem__(self, name: str) -> float:
        """The sum of all series of a name."""
        found = [value for (each, _), value in self.values.items() if each == name]
        assert found, f"no {name} in {self.text}"
        return sum(found)

    def by(self, name: str, label: str) -> Mapping[str, float]:
        """The sums of a name by one of its labels."""
        found = Counter[str]()
        for (each, labels), value in self.values.items():
            if each == name:
                found[dict(labels)[label]] += value  # type: ignore[assignment]
        return found

    @property
    def requests(self) -> float:
        """How many requests there have been."""
        return self["http_server_request_duration_seconds_count"]


class Shop:
    """A project, the address at which it is served, and that of its metrics."""

    def __init__(self, path: Path) -> None:
        self.folder = ProjectFolder(path)
        self.port, self.metrics_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.folder.write({"pyproject.toml": '[tool.fastforge]\nsettings = "shop.settings"\n'})
        self.folder.write({"shop/notes/routes.py": ROUTES})
        self.settings()

    def settings(self, more: str = "") -> None:
        """Write the settings, with more arguments for PROMETHEUS."""
        self.folder.write({"shop/settings.py": SETTINGS.format(port=self.metrics_port, more=more)})

    @contextmanager
    def served(self, workers: int = 1) -> Iterator[Process]:
        """Serve in production."""
        options = (str(self.port), "--workers", str(workers))
        argv = [sys.executable, "-m", "fastforge", "runserver", *options]
        environment = {"FASTFORGE_ENV": "production"}
        with start(argv, cwd=self.folder.path, env=environment) as server:
            server.wait_for("Ctrl-C stops)")
            yield server
            assert "Traceback" not in server.output

    def page(self, path: str = "/metrics", **headers: str) -> Response:
        """What Prometheus is answered, once anybody answers."""
        url = f"http://127.0.0.1:{self.metrics_port}{path}"
        return wait_until(lambda: fetch(url, headers=headers))

    def scrape(self) -> Scraped:
        """What Prometheus reads."""
        answer = self.page()
        assert answer.status == 200, answer
        return Scraped(answer.body)

    def ask(self, count: int = 1, path: str = "/notes/7") -> None:
        """Ask so many times, each on a connection of its own."""
        for _ in range(count):
            answer = fetch(f"{self.url}{path}")
            assert answer is not None
            assert answer.status in (200, 404)


def ask_in_line(port: int, requests: list[str]) -> Counter[int]:
    """Ask on one connection, many at once; return how many answers there were of each status."""
    statuses = Counter[int]()
    with socket.create_connection(("127.0.0.1", port)) as sock, sock.makefile("rb") as answers:
        for start_ in range(0, len(requests), 50):
            batch = requests[start_ : start_ + 50]
            sock.sendall("".join(batch).encode())
            for _ in batch:
                statuses[_status(answers)] += 1
    return statuses


def _status(answers: object) -> int:
    """Read one answer with a length."""
    line = answers.readline()  # type: ignore[attr-defined]
    length = 0
    while header := answers.readline().strip():  # type: ignore[attr-defined]
        name, _, value = header.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    answers.read(length)  # type: ignore[attr-defined]
    return int(line.split()[1])


@pytest.fixture
def site(tmp_path: Path) -> Shop:
    return Shop(tmp_path)
