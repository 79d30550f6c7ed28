"""The picture of the README: what a project consists of, who reads it, and what runs then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from .canvas import Canvas

__all__ = ["PICTURES"]

READERS: Final = (
    ("server", "HTTP, sockets", "reload, drain"),
    ("worker", "jobs, schedules", "leases, drain"),
    ("manage", "check, migrate,", "shell, jobs, ..."),
)
ASKING: Final = (
    "a handler, a job,",
    "a message, a test",
    "ask all alike:",
    "DbSession,",
    "CurrentUser,",
    "HttpClient, Cache",
)
RUNNING: Final = (
    ("database", "SQLite, PostgreSQL"),
    ("Redis", "if there is one"),
    ("HTTP client", "one pool"),
    ("yours", "a few lines each"),
)


def architecture() -> Canvas:
    """From the files of a project to what is open while it runs."""
    canvas = Canvas(
        title="The architecture of fastforge",
        text="A settings module and the apps that it names are collected into a frozen project."
        " The server, the worker and the command line read it, and open the same resources in"
        " the order of their needs. A request, a socket, a job, a command and a test are given"
        " them by the same annotations.",
        width=800,
        height=356,
    )
    settings = canvas.box(16, 34, 190, "settings", "typed, each mistake with", "file and line")
    apps = canvas.box(
        16, 126, 190, "apps", "models, routes, tasks,", "channels, commands,", "checks, resources"
    )
    project = canvas.box(
        282, 80, 130, "Project", "frozen values,", "nothing is open", look="strong"
    )
    canvas.arrow(settings.right, project.left)
    canvas.arrow(apps.right, project.left)
    canvas.words(111, 228, "found by the names of files", anchor="middle")
    for number, (name, *lines) in enumerate(READERS):
        reader = canvas.box(480, 16 + number * 78, 130, name, *lines)
        canvas.arrow(project.right, reader.left)
        canvas.arrow(reader.right, (650, reader.right[1]))
    asking = canvas.box(650, 16, 134, "your code", *ASKING, height=226)
    canvas.arrow((asking.bottom[0], 242), (asking.bottom[0], 286))
    canvas.words(16, 278, "Container: opened in the order of needs, closed in reverse", look="head")
    for number, (name, words) in enumerate(RUNNING):
        canvas.box(16 + number * 194, 288, 186, name, words, look="good")
    return canvas


PICTURES: Final[dict[str, Callable[[], Canvas]]] = {"architecture": architecture}
