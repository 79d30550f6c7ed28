"""Add an app to the project: a model, routes, a task and a test, or a whole resource.

The app is installed by an edit of the settings, and its migration is written. Nothing is ever
written over, and either everything is written or nothing.
"""

from __future__ import annotations

from typing import Annotated

from ...commands import Context, command
from ...scaffold import show_diff, summary, write_changes

__all__ = ["startapp"]


@command(starts="nothing")
def startapp(
    name: Annotated[str, "The app's name, for example blog or shop.blog."],
    fields: Annotated[
        tuple[str, ...], "The resource's fields: title:str body:text email:str:unique."
    ] = (),
    /,
    *,
    resource: Annotated[str, "Write a table with all its routes, for example post."] = "",
    dry_run: Annotated[bool, "Only list what would be written."] = False,
    diff: Annotated[bool, "Only show what would be written, as a diff."] = False,
    context: Context,
) -> None:
    """Work out everything that is to be written, then write it."""
    from ..new_app import plan_app

    planned = plan_app(name, resource, fields, settings_module=context.settings_module)
    if diff:
        write_changes(planned.changes, dry_run=True)
        context.echo(show_diff(planned.changes).removesuffix("\n"))
    else:
        write_changes(planned.changes, dry_run=dry_run)
        for line in summary(planned.changes, dry_run=dry_run):
            context.echo(line)
    if planned.to_add_by_hand:
        context.echo(f"\n{planned.to_add_by_hand}")
    if not (diff or dry_run):
        context.echo("\nNext:")
        for step in planned.next_steps:
            context.echo(f"  {step}")
