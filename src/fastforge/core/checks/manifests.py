"""Manifests: variables, probes and processes in the files by which a platform runs a project."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ...checks import Level, Message, check
from ...tasks.working import has_work
from ...web.settings import Health
from ..platforms.files import PlatformFile, platform_files, uncommented

if TYPE_CHECKING:
    from ...project import Project

__all__ = [
    "liveness_asks_nobody",
    "manifests_are_for_production",
    "manifests_have_no_secrets",
    "manifests_start_workers",
]

LIVENESS: Final = re.compile(
    r"livenessProbe:(?:(?!\w+Probe:).)*?\bpath:\s*[\"']?([^\s\"',}]+)", re.DOTALL
)
DEVELOPS: Final = re.compile(
    r"\bFASTFORGE_ENV\b[\"']?(?:\s*[:=]\s*|\s*\n\s*value:\s*)[\"']?(development|test)\b"
)
ORCHESTRATED: Final = (".yaml", ".yml", ".service")
SHORTEST_SECRET: Final = 6
WITH_PASSWORD: Final = re.compile(r"://[^/@\s]*:[^/@\s]+@")


@check(tags={"deploy", "security"}, deploy=True)
def manifests_have_no_secrets(project: Project) -> Iterator[Message]:
    """Refuse secrets that are written into files which are in git."""
    names = {each.name for each in project.settings.raw.record.variables if each.secret}
    for file in platform_files(project.settings.root):
        text = uncommented(file.text)
        if names and not re.search(r"^kind:\s*Secret\b", text, re.MULTILINE):
            for found in _assigned(names).finditer(text):
                if _is_secret(found[2]):
                    yield Message(
                        id="deploy.E021",
                        level=Level.ERROR,
                        text=f"the secret {found[1]} is written in a file of the project",
                        hint="let the platform give it: a Secret, env_file, a variable of the CI",
                        where=file.at(found.start(1)),
                    )


@check(tags={"deploy", "security"}, deploy=True)
def manifests_are_for_production(project: Project) -> Iterator[Message]:
    """Refuse to run in development where clients are."""
    for file in platform_files(project.settings.root):
        for found in DEVELOPS.finditer(uncommented(file.text)):
            yield Message(
                id="deploy.E022",
                level=Level.ERROR,
                text=f"FASTFORGE_ENV is {found[1]!r} there: DEBUG, documentation and short stops",
                hint="write production, or leave it out; call the file *.dev.* where it is meant",
                where=file.at(found.start()),
            )


@check(tags={"deploy", "server"}, deploy=True)
def liveness_asks_nobody(project: Project) -> Iterator[Message]:
    """Tell of a database that is away, and takes every process with it."""
    ready = project.settings.section(Health).ready_path
    for file in platform_files(project.settings.root):
        for found in LIVENESS.finditer(uncommented(file.text)):
            if ready and found[1] == ready:
                yield Message(
                    id="deploy.W026",
                    level=Level.WARNING,
                    text=f"the liveness probe asks {ready}: when a database is away every process"
                    " is restarted, which cures nothing",
                    hint="ask HEALTH.live_path, '/livez'",
                    where=file.at(found.start(1)),
                )


@check(tags={"deploy", "tasks"}, deploy=True)
def manifests_start_workers(project: Project) -> Iterator[Message]:
    """Tell of jobs that nobody will run."""
    if not has_work(project.registry, project.settings):
        return
    files = [*platform_files(project.settings.root)]
    serving = [each for each in files if _is_orchestrated(each) and "runserver" in each.text]
    if serving and not any("runworker" in each.text for each in files):
        yield Message(
            id="deploy.W027",
            level=Level.WARNING,
            text="a server is started and no worker: the project has tasks, and nobody runs its"
            " jobs",
            hint="start manage runworker beside it, or run: manage deploy",
            where=serving[0].at(serving[0].text.index("runserver")),
        )


def _assigned(names: set[str]) -> re.Pattern[str]:
    """Return what finds `NAME: value`, `NAME=value` and Kubernetes' `name:`, `value:`."""
    either = "|".join(sorted(map(re.escape, names)))
    return re.compile(
        rf"\b({either})\b[\"']?(?:[ \t]*[:=][ \t]*|[ \t]*\n\s*value:[ \t]*)[\"']?([^\s\"']+)"
    )


def _is_secret(value: str) -> bool:
    """Return whether a text is a secret, and no reference to one, nor an address without one."""
    if "$" in value or value[0] in "<{[&*" or len(value) < SHORTEST_SECRET:
        return False
    return "://" not in value or WITH_PASSWORD.search(value) is not None


def _is_orchestrated(file: PlatformFile) -> bool:
    return file.path.suffix in ORCHESTRATED or file.path.name == "Procfile"
