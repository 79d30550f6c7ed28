"""Prove on this machine that a restart under load loses no request.

The project is started in its production form on a free port of 127.0.0.1, and many clients ask it
while it is told to stop, is replaced, or loses a process. Nothing else is asked, and all of it ends
by itself. The exit code is 1 when anything was lost.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

from ...commands import Context, command
from ...exceptions import CommandError

if TYPE_CHECKING:
    from ...chaos.probing import Choice
    from ...chaos.program import ServerOptions
    from ...chaos.scenario import Disturbance, Scenario
    from ...chaos.subject import Subject
    from ...chaos.wire import Target
    from ...project import Project

__all__ = ["chaos"]

FEWEST: Final = 2
"""So many processes there have to be where one of them is to be replaced."""
START_MARGIN_S: Final = 30


@command(starts="nothing")
def chaos(
    what: Annotated[
        Literal["term", "hup", "kill", "recycle", "start"],
        "What happens: term, it is told to stop (unless given); hup, every process is replaced;"
        " kill, one dies; recycle, each is replaced after some requests; start, it is told to stop"
        " as it starts.",
    ] = "term",
    /,
    *,
    path: Annotated[
        list[str], "What is asked for with GET; what the routes offer unless given."
    ] = [],  # noqa: B006
    socket: Annotated[list[str], "A web socket to hold; what the routes offer unless given."] = [],  # noqa: B006
    header: Annotated[list[str], "A header of every request: 'NAME: VALUE'."] = [],  # noqa: B006
    host: Annotated[str, "The Host header; one of ALLOWED_HOSTS unless given."] = "",
    workers: Annotated[
        int | None, "How many processes serve; as many as in production unless given."
    ] = None,
    clients: Annotated[int, "How many clients ask at the same time."] = 20,
    think_s: Annotated[float, "How long a client waits after an answer, in seconds."] = 0.02,
    warm_s: Annotated[float, "How long there is load before, in seconds."] = 2,
    lag_s: Annotated[
        float, "How long clients go on after SIGTERM, as behind a load balancer, in seconds."
    ] = 2,
    rounds: Annotated[int, "How often processes are replaced, or killed."] = 1,
    pause_s: Annotated[float, "How long there is load after each time, in seconds."] = 1,
    max_requests: Annotated[int, "For recycle: after how many requests."] = 500,
    times: Annotated[int, "How often the server is started, and all of it done."] = 1,
    environment: Annotated[
        Literal["production", "development", "test"], "The environment of the server."
    ] = "production",
    json: Annotated[bool, "Write JSON."] = False,
    context: Context,
) -> int:
    """Read what there is to ask for, then run the scenario so often and tell of it."""
    from ...chaos.probing import Choice
    from ...chaos.scenario import Crowd, Disturbance, Scenario
    from ..running import run_async

    _refuse_unfit({"clients": clients, "rounds": rounds, "times": times}, [*path, *socket])
    project = _project(context, environment)
    scenario = Scenario(
        disturbance=Disturbance(what),
        crowd=Crowd.of(clients, think_s=think_s),
        warm_s=warm_s,
        lag_s=lag_s,
        rounds=rounds,
        pause_s=pause_s,
    )
    options = _options(project, scenario.disturbance, workers, max_requests)
    subject = _subject(project, options, host, header)
    named = Choice(paths=tuple(path), sockets=tuple(socket))
    return run_async(_prove(project, subject, scenario, named, times, json, context))


async def _prove(
    project: Project,
    subject: Subject,
    scenario: Scenario,
    named: Choice,
    times: int,
    json: bool,
    context: Context,
) -> int:
    """Run a scenario so often, tell of each time, and return the exit code."""
    from ...chaos.telling import as_text
    from ...chaos.workshop import Workshop
    from ..tables import as_json

    is_clean = True
    with Workshop(subject) as workshop:
        choice = await workshop.choose(_found(project, named), named)
        for _ in range(times):
            report = await workshop.prove(scenario, choice)
            is_clean = is_clean and report.is_clean
            context.echo(as_json(report.as_dict(), indent=None) if json else as_text(report))
    return 0 if is_clean else 1


def _found(project: Project, named: Choice) -> Choice:
    """Return what may be asked for without having been named: nothing where something was."""
    from ...chaos.greeting import ALONE, greetings
    from ...chaos.probing import Choice, candidates
    from ...web.settings import Health
    from ..served import served_application

    said = greetings(project)
    if named.paths or named.sockets:
        return Choice(greetings=said)
    found = candidates(served_application(project))
    live_path = project.settings.section(Health).live_path
    alone = [path for path in found.sockets if path in said and not said[path]]
    return Choice(
        paths=(*filter(None, [live_path]), *found.paths),
        sockets=tuple(path for path in found.sockets if path not in alone),
        left_out=tuple((path, ALONE) for path in alone),
        greetings=said,
    )


def _refuse_unfit(numbers: Mapping[str, int], paths: Sequence[str]) -> None:
    for name, number in numbers.items():
        if number < 1:
            raise CommandError(
                f"--{name} is {number}", code="chaos.E003", hint="it has to be 1 at least"
            )
    for path in paths:
        if not path.startswith("/"):
            raise CommandError(
                f"{path!r} is no path",
                code="chaos.E003",
                hint="write what follows the host: /articles?page=2",
            )


def _project(context: Context, environment: str) -> Project:
    """Load the project as the server under test will see it, with what `.env` says."""
    from ...conf.environment import read_environment
    from ...conf.finding import find_settings_module, make_importable
    from ...server.place import find_place

    make_importable(Path.cwd())
    module = context.settings_module or find_settings_module(Path.cwd(), os.environ)[0]
    variables = read_environment(find_place(module, Path.cwd()).root).variables
    os.environ.update(variables, FASTFORGE_ENV=environment, FASTFORGE_SETTINGS_MODULE=module)
    return context.load_project()


def _options(
    project: Project, what: Disturbance, workers: int | None, max_requests: int
) -> ServerOptions:
    from ...chaos.program import ServerOptions
    from ...chaos.scenario import Disturbance
    from ...core.processes import plan_processes

    fewest = FEWEST if what.needs_manager else 1
    if workers is not None and workers < fewest:
        raise CommandError(
            f"--workers is {workers}",
            code="chaos.E003",
            hint=f"for {what.value} it has to be {fewest} at least",
        )
    number = workers or max(fewest, plan_processes(project.settings).number)
    return ServerOptions(
        workers=number, max_requests=max_requests if what is Disturbance.RECYCLE else None
    )


def _subject(project: Project, options: ServerOptions, host: str, header: list[str]) -> Subject:
    from ...chaos.program import Launch
    from ...chaos.subject import Subject
    from ...core.settings import Server
    from ...core.timeline import Timeline
    from ...web.settings import Health

    settings = project.settings
    launch = Launch.of_project(
        settings.module, options=options.as_arguments(), cwd=Path.cwd(), environ=os.environ
    )
    timeline = Timeline.of_server(project)
    start_s = settings.section(Server).start_deadline_in(settings.environment)
    return Subject(
        launch=launch,
        target=_target(project, launch.port, host, header),
        ready_path=settings.section(Health).ready_path or "/",
        workers=options.workers,
        start_limit_s=start_s + START_MARGIN_S,
        stop_limit_s=timeline.kill_after_s - timeline.pre_stop_s,
        drain_s=timeline.drain_s,
    )


def _target(project: Project, port: int, host: str, header: list[str]) -> Target:
    from ...chaos.wire import Target
    from ...middleware.hosts import AllowedHosts

    patterns: list[str] = [*project.settings["ALLOWED_HOSTS"]]
    allows = AllowedHosts(patterns)
    plain = [each.replace("*", "chaos") for each in patterns]
    names = (name for name in ("127.0.0.1", "localhost", *plain) if allows(name.encode()))
    name = host or next(names, "127.0.0.1")
    pairs = tuple(_header(text) for text in header)
    return Target(port=port, host=f"{name}:{port}" if ":" not in name else name, headers=pairs)


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip() or "\n" in text or "\r" in text:
        raise CommandError(
            "a --header has no name and value",
            code="chaos.E003",
            hint="write it as in a request: --header 'Authorization: Bearer ...'",
        )
    return name.strip(), value.strip()
