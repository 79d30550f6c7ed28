"""Dockerfiles: who runs in the container, what is in it, and what hears that it should end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ...checks import Level, Message, check
from ..platforms.images import Image, Instruction, images, is_left_out

if TYPE_CHECKING:
    from ...project import Project

__all__ = [
    "images_are_named",
    "images_have_no_secrets",
    "images_hear_signals",
    "images_run_as_users",
]

ROOT: Final = re.compile(r"(root|0)(:\S*)?$")
PINNED: Final = re.compile(r"[:@](?!latest$)[^/]+$")
EVERYTHING: Final = re.compile(r"(--(?!from)\S+\s+)*\.?/?\s")
RUNS: Final = re.compile(r"\b(?:runserver|runworker|uvicorn|gunicorn|granian)\b")


@check(tags={"deploy", "server"}, deploy=True)
def images_hear_signals(project: Project) -> Iterator[Message]:
    """Tell of a shell that gets the signal to end in place of the server."""
    for image in images(project.settings.root):
        started = image.final("ENTRYPOINT") or image.final("CMD")
        if started and RUNS.search(started.rest) and not started.rest.startswith(("[", "exec ")):
            yield Message(
                id="deploy.W022",
                level=Level.WARNING,
                text=f"a shell starts the server ({started.word} without brackets), and gets the"
                " SIGTERM that is meant for it: it may be killed in the middle of its requests",
                hint=f'write {started.word} ["python", "manage.py", "runserver", "0.0.0.0:8000"]',
                where=started.where,
            )


@check(tags={"deploy", "security"}, deploy=True)
def images_run_as_users(project: Project) -> Iterator[Message]:
    """Tell of containers that run as root."""
    for image in images(project.settings.root):
        user = image.final("USER")
        if _runs(image) and (user is None or ROOT.match(user.rest)):
            yield Message(
                id="deploy.W023",
                level=Level.WARNING,
                text="the container runs as root: who gets into the process can change its code,"
                " and has more ways out of it",
                hint="write USER 10001:10001 behind what is installed",
                where=(user or image.last[0]).where,
            )


@check(tags={"deploy"}, deploy=True)
def images_are_named(project: Project) -> Iterator[Message]:
    """Tell of bases that are another one at each build."""
    for image in images(project.settings.root):
        for base in image.bases:
            name = _base(base)
            if name != "scratch" and "$" not in name and not PINNED.search(name):
                yield Message(
                    id="deploy.W024",
                    level=Level.WARNING,
                    text=f"the image begins with {name}, which is another one next month",
                    hint=f"write a version: {name.removesuffix(':latest')}:3.13-slim for one",
                    where=base.where,
                )


@check(tags={"deploy", "security"}, deploy=True)
def images_have_no_secrets(project: Project) -> Iterator[Message]:
    """Tell of the secrets of this machine that would be copied into an image."""
    root = project.settings.root
    if not (root / ".env").is_file() or is_left_out(root, ".env"):
        return
    for image in images(root):
        copies = (each for each in image.last if each.word in ("COPY", "ADD"))
        for copied in copies:
            if EVERYTHING.match(copied.rest):
                yield Message(
                    id="deploy.W025",
                    level=Level.WARNING,
                    text="the image takes in .env, and the secrets of this machine with it",
                    hint="write .env into .dockerignore",
                    where=copied.where,
                )


def _runs(image: Image) -> bool:
    """Return whether an image runs the project: others, for a proxy or a job, are not ours."""
    words = (each.rest for each in image.last if each.word in ("CMD", "ENTRYPOINT"))
    return any(RUNS.search(rest) for rest in words)


def _base(instruction: Instruction) -> str:
    return next(word for word in instruction.rest.split() if not word.startswith("--"))
