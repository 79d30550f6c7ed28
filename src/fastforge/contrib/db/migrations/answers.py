"""Answers: what the user says of renames and of values, by options or in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ...._utils import did_you_mean
from ....exceptions import CommandError
from .errors import MigrationError
from .fills import Unfilled, checked_value
from .questions import Suspicion

__all__ = ["Answers"]


@dataclass(slots=True, kw_only=True)
class Answers:
    """Answers the questions of one run.

    Args:
        renamed: What `--renamed` (True) or `--not-renamed` (False) says.
        values: What `--fill` says, by `table.column`.
        interactive: Whether somebody is there to be asked.
    """

    renamed: bool | None
    values: dict[str, str]
    interactive: bool
    _used: set[str] = field(default_factory=set)

    @classmethod
    def of(
        cls, *, renamed: bool, not_renamed: bool, fill: Sequence[str], interactive: bool
    ) -> Answers:
        """Read the options.

        Raises:
            CommandError: They exclude each other, or one has another form.
        """
        if renamed and not_renamed:
            raise CommandError("--renamed and --not-renamed exclude each other", code="db.E128")
        values: dict[str, str] = {}
        for given in fill:
            key, found, value = given.partition("=")
            if not found:
                raise CommandError(
                    f"--fill {given!r} has no `=`",
                    code="db.E137",
                    hint="write TABLE.COLUMN=SQL, for example --fill blog_post.views=0",
                )
            values[key.strip()] = value.strip()
        return cls(
            renamed=renamed if renamed or not_renamed else None,
            values=values,
            interactive=interactive,
        )

    def ask(self, suspicion: Suspicion) -> bool | None:
        """Answer whether something was renamed; None when nobody is there.

        Raises:
            MigrationError: `--renamed` does not say which became which.
        """
        is_said = self.renamed is False or not suspicion.one_of_several
        if self.renamed and not is_said and not self.interactive:
            raise MigrationError(
                f"--renamed does not say whether {suspicion.what} became {suspicion.new_key}:"
                " more than one went or came that is like it",
                code="db.E143",
                hint="answer the questions in a terminal; or rename one by one, with a file each",
            )
        if not self.interactive or (self.renamed is not None and is_said):
            return self.renamed
        import click

        return click.confirm(suspicion.question, err=True)

    def fill(self, unfilled: Unfilled) -> str | None:
        """Answer what rows get; None when nobody is there.

        Raises:
            MigrationError: What `--fill` says is no value.
        """
        if unfilled.key in self.values:
            self._used.add(unfilled.key)
            return checked_value(unfilled, self.values[unfilled.key])
        return self._prompted(unfilled) if self.interactive else None

    def check_used(self) -> None:
        """Refuse a `--fill` for a column that needs none: its name is wrong.

        Raises:
            CommandError: There is one.
        """
        for key in self.values.keys() - self._used:
            raise CommandError(
                f"--fill names {key!r}, and no such column needs a value",
                code="db.E137",
                hint=did_you_mean(key, self._used) or "leave it out",
            )

    def _prompted(self, unfilled: Unfilled) -> str:
        import click

        default = unfilled.suggestion or (None if unfilled.needs_value else "")
        while True:
            value = click.prompt(unfilled.question, default=default, err=True)
            try:
                return checked_value(unfilled, str(value))
            except MigrationError as error:
                click.echo(str(error), err=True)
