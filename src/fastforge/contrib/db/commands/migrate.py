"""Bring the database to the state of the migration files, or to one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from ....commands import Context, command
from ....exceptions import CommandError

if TYPE_CHECKING:
    from ..engine import Engines
    from ..migrations.history import History
    from ..migrations.plan import PlannedStep, Target

__all__ = ["migrate"]

BEHIND: Final = 1
LONGEST_WAIT_S: Final = 2_000_000
"""What the time limits of DATABASES may be, too."""


@command(starts="project")
async def migrate(
    app: Annotated[str, "The label of one app; all apps unless given."] = "",
    target: Annotated[str, "A migration or its number, or zero; the last one unless given."] = "",
    /,
    *,
    context: Context,
    plan: Annotated[bool, "Show what would be done."] = False,
    check: Annotated[bool, "Exit with 1 if something would be done, with 4 if ahead."] = False,
    fake: Annotated[bool, "Note the migrations as done without running them."] = False,
    database: Annotated[str, "The database's name in DATABASES."] = "default",
    lock_timeout_s: Annotated[float, "How long to wait for another migrate; 0: not at all."] = 60.0,
) -> int:
    """Apply migrations, or take them back; safe from several processes at once."""
    from ..migrations.plan import Target
    from ..migrations.project import ledger_engines, migration_engines, project_history

    _check_wait(lock_timeout_s)
    project = context.project
    history = project_history(project)
    goal = Target(label=app, name=target)
    if plan or check:
        async with ledger_engines(project, name=database) as engines:
            return await _show(context, engines, history, goal, check=check)
    async with migration_engines(project, name=database, wait_s=lock_timeout_s) as engines:
        return await _run(context, engines, history, goal, fake=fake, wait_s=lock_timeout_s)


def _check_wait(seconds: float) -> None:
    if not 0 <= seconds <= LONGEST_WAIT_S:  # NaN is not, either
        raise CommandError(
            f"--lock-timeout-s {seconds:g} is no time to wait",
            code="db.E158",
            hint=f"write seconds, from 0 (do not wait) to {LONGEST_WAIT_S}",
        )


async def _show(
    context: Context, engines: Engines, history: History, goal: Target, *, check: bool
) -> int:
    from ..migrations import ledger
    from ..migrations.plan import ahead, plan, refuse_ahead

    applied = await ledger.read(engines)
    steps = plan(history, applied, goal)
    for step in steps:
        context.echo(str(step))
    if unknown := ahead(history, applied):
        error = refuse_ahead(unknown)
        context.echo(str(error))
        return error.exit_code if check else 0
    if not steps:
        context.echo("Nothing to do.")
    return BEHIND if check and steps else 0


async def _run(
    context: Context,
    engines: Engines,
    history: History,
    goal: Target,
    *,
    fake: bool,
    wait_s: float,
) -> int:
    from ..migrations.plan import refuse_ahead
    from ..migrations.runner import migrate as run

    def tell(step: PlannedStep, seconds: float) -> None:
        word = "applied" if step.forward else "taken back"
        how = "noted only" if fake else f"{seconds:.2f} s"
        context.echo(f"{word}: {step.migration.id} ({how})")

    report = await run(engines, history, target=goal, fake=fake, wait_s=wait_s, on_step=tell)
    if report.ahead:
        context.echo(f"Nothing to do: {refuse_ahead(report.ahead).message}.")
    elif not report.done:
        context.echo("Nothing to do.")
    return 0
