"""Show how much there is of everything."""

from conduit.articles.statistics import count_everything
from fastforge import injected
from fastforge.commands import Context, command
from fastforge.contrib.db import DbSession


@command
async def statistics(context: Context, *, db: DbSession = injected) -> None:
    """Print a line for each."""
    for name, count in await count_everything(db):
        context.echo(f"{name:<10} {count:>8,}")
