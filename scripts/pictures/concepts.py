"""The pictures of docs/concepts.md."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from fastforge.core.settings import Server

from .canvas import Canvas, Look

__all__ = ["PICTURES"]


def project() -> Canvas:
    """One description, three readers."""
    canvas = Canvas(
        title="A project and its readers",
        text="A settings module is collected into a frozen project. The server, the worker and the"
        " command line read it; each opens the same resources in a container.",
        width=760,
        height=226,
    )
    settings = canvas.box(16, 84, 140, "shop/settings.py", "typed sections")
    frozen = canvas.box(226, 66, 150, "Project", "settings", "apps", "components", look="strong")
    running = canvas.box(
        606, 66, 138, "Container", "pools, clients,", "services: opened", "and closed", look="good"
    )
    canvas.arrow(settings.right, frozen.left, "collect")
    for y, name in ((16, "server"), (89, "worker"), (162, "commands")):
        reader = canvas.box(446, y, 90, name, height=42)
        canvas.arrow(frozen.right, reader.left)
        canvas.arrow(reader.right, running.left)
    canvas.words(301, 180, "nothing is open here", anchor="middle")
    return canvas


def commit() -> Canvas:
    """The order of commit and answer."""
    canvas = Canvas(
        title="When the commit happens",
        text="In the usual code the answer is sent before the commit, and a failing commit is not"
        " seen by anybody. Here the commit comes first, and messages and jobs follow it.",
        width=760,
        height=214,
    )
    canvas.words(16, 30, "the usual dependency with yield", look="head")
    _row(canvas, 42, "bad", "handler", "200 is sent", "COMMIT fails", "nobody knows")
    canvas.words(16, 122, "here", look="head")
    _row(canvas, 134, "good", "handler", "COMMIT", "201 is sent", "jobs, messages")
    canvas.words(204, 200, "a COMMIT that fails is answered with 409 or 500 in its place")
    return canvas


def job() -> Canvas:
    """Where a job can be."""
    canvas = Canvas(
        title="The states of a job",
        text="A job waits, is leased to a worker, and ends done or dead. It goes back to waiting"
        " after a failure, when its worker is told to stop, and when its lease runs out.",
        width=760,
        height=240,
    )
    enqueue = canvas.box(16, 86, 130, "enqueue", "a row of your", "transaction")
    ready = canvas.box(250, 86, 130, "ready", "or scheduled,", "or held", look="strong")
    canvas.box(494, 86, 130, "running", "lent for 30 s,", "renewed", look="strong")
    canvas.box(664, 20, 80, "done", look="good")
    canvas.box(664, 182, 80, "dead", look="bad")
    canvas.arrow(enqueue.right, ready.left, "COMMIT")
    canvas.arrow((380, 108), (494, 108), "claim")
    canvas.arrow((494, 136), (380, 136), "again", above=-16)
    canvas.arrow((624, 100), (664, 44))
    canvas.arrow((624, 140), (664, 190))
    canvas.words(437, 190, "failed, handed back,", anchor="middle")
    canvas.words(437, 208, "or the lease has run out", anchor="middle")
    canvas.words(556, 40, "its result is kept", anchor="middle")
    canvas.words(596, 222, "no attempt left", anchor="middle")
    return canvas


def channel() -> Canvas:
    """The way of a message."""
    canvas = Canvas(
        title="The way of a message",
        text="Whoever publishes waits for the commit and for Redis or the database, never for a"
        " client. Every process hears it, and puts it into the bounded queue of each socket.",
        width=760,
        height=226,
    )
    publish = canvas.box(16, 76, 116, "publish", "a route, a job,", "a command")
    carrier = canvas.box(238, 76, 130, "backend", "Redis or the", "database", look="strong")
    canvas.arrow(publish.right, carrier.left, "after COMMIT")
    for y, number in ((16, 1), (146, 2)):
        process = canvas.box(424, y, 100, f"process {number}", "one reader", height=64)
        canvas.arrow(carrier.right, process.left)
        for offset in (0, 36):
            queue = canvas.box(566, y + offset, 90, "queue", look="plain", height=28)
            page = canvas.box(690, y + offset, 56, "page", look="good", height=28)
            canvas.arrow(process.right, queue.left)
            canvas.arrow(queue.right, page.left)
    canvas.words(611, 116, "full: a gap is told,", anchor="middle")
    canvas.words(611, 133, "or the page comes back", anchor="middle")
    return canvas


def drain() -> Canvas:
    """A stop, with the limits that hold in production."""
    server = Server()
    parts: tuple[tuple[str, str, str, Look], ...] = (
        ("drain", _limit(server.drain_in("production")), "not ready, answers", "strong"),
        ("linger", _limit(server.linger_in("production")), "the last may ask", "strong"),
        ("graceful", _limit(server.graceful_s), "requests and jobs end", "good"),
        ("services", "some seconds", "loops and threads", "plain"),
        ("teardown", _limit(server.teardown_s), "closed in reverse", "plain"),
    )
    canvas = Canvas(
        title="A stop",
        text="After SIGTERM a server drains, lingers, lets requests end, stops its services and"
        " closes its resources; each part has a limit, and the platform kills after the sum.",
        width=760,
        height=146,
    )
    canvas.words(16, 30, "SIGTERM", look="head")
    canvas.words(744, 30, "the sum, and then a kill", look="head", anchor="end")
    for number, (name, limit, words, look) in enumerate(parts):
        box = canvas.box(16 + number * 147, 44, 140, name, limit, look=look)
        canvas.words(box.bottom[0], 120, words, anchor="middle")
    return canvas


def identity() -> Canvas:
    """Where it is known who asks."""
    canvas = Canvas(
        title="Who asks",
        text="A credential is looked up in the memory of the process, then in the shared cache,"
        " then it is checked. A log in the database makes void what has changed since.",
        width=760,
        height=190,
    )
    ask = canvas.box(16, 30, 110, "credential", "token, cookie")
    memory = canvas.box(176, 30, 130, "this process", "a second", look="good")
    cache = canvas.box(356, 30, 130, "the cache", "some minutes", look="strong")
    check = canvas.box(536, 30, 208, "the real check", "signature, database", look="plain")
    canvas.arrow(ask.right, memory.left)
    canvas.arrow(memory.right, cache.left, "else")
    canvas.arrow(cache.right, check.left, "else")
    log = canvas.box(176, 122, 310, "the log of what is forgotten", "in the database")
    canvas.arrow((241, 122), memory.bottom)
    canvas.arrow((421, 122), cache.bottom)
    canvas.arrow((536, log.right[1]), log.right)
    canvas.words(544, 146, "a user who changes, a logout:")
    canvas.words(544, 164, "written with the COMMIT")
    return canvas


def _row(canvas: Canvas, y: float, look: Look, *steps: str) -> None:
    """Steps from left to right; how they look begins with the second."""
    for number, name in enumerate(steps):
        box = canvas.box(
            16 + number * 188, y, 140, name, look=look if number else "plain", height=44
        )
        if number:
            canvas.arrow((box.x - 48, y + 22), box.left)


def _limit(seconds: float) -> str:
    return f"{seconds:g} s at most"


PICTURES: Final[dict[str, Callable[[], Canvas]]] = {
    "concept-project": project,
    "concept-commit": commit,
    "concept-job": job,
    "concept-channel": channel,
    "concept-identity": identity,
    "concept-drain": drain,
}
