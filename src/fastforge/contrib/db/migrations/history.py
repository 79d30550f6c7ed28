"""History: the migrations of all apps in an order in which they can run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from graphlib import CycleError, TopologicalSorter

from ...._utils import did_you_mean
from ....exceptions import Location
from .errors import MigrationError, MigrationFileError
from .migration import Migration
from .requirements import missing_file

__all__ = ["History"]


class History:
    """The migrations of a project: a frozen sequence, each after all that it requires.

    Args:
        labels: The labels of the apps, in installation order.
        migrations: Those found in their files, in any order.

    Raises:
        MigrationFileError: One requires an unknown migration, or they require each other.
    """

    def __init__(self, labels: Iterable[str], migrations: Iterable[Migration]) -> None:
        self.labels = tuple(labels)
        self._found = {migration.id: migration for migration in migrations}
        for migration in self._found.values():
            self._check_requirements(migration)
        self._check_cycles()
        self._ordered = tuple(self._in_order())

    def __iter__(self) -> Iterator[Migration]:
        return iter(self._ordered)

    def __len__(self) -> int:
        return len(self._ordered)

    def __contains__(self, migration_id: object) -> bool:
        return migration_id in self._found

    def __getitem__(self, migration_id: str) -> Migration:
        return self._found[migration_id]

    def of(self, label: str) -> tuple[Migration, ...]:
        """Return the migrations of one app, in order.

        Raises:
            MigrationError: No installed app has that label.
        """
        if label not in self.labels:
            raise MigrationError(
                f"no installed app has the label {label!r}",
                code="db.E107",
                hint=did_you_mean(label, self.labels) or "manage showmigrations lists the apps",
            )
        return tuple(migration for migration in self if migration.label == label)

    def heads(self, label: str) -> tuple[Migration, ...]:
        """Return the migrations of an app that none of its others follows."""
        own = self.of(label)
        followed = {previous for migration in own for previous in migration.previous}
        return tuple(migration for migration in own if migration.id not in followed)

    def conflict(self, label: str) -> MigrationFileError | None:
        """Return the error for an app that has several last migrations, or None."""
        heads = self.heads(label)
        if len(heads) < 2:
            return None
        names = " and ".join(head.path.name for head in heads)
        return MigrationFileError(
            f"the app {label!r} has {len(heads)} last migrations, as after joining two branches"
            f" of the code: {names}",
            code="db.E105",
            hint=f"join them: manage makemigrations {label} --merge",
            where=Location(str(heads[-1].path), 1),
        )

    def head(self, label: str) -> Migration | None:
        """Return the last migration of an app, or None when it has none.

        Raises:
            MigrationFileError: It has several.
        """
        conflict = self.conflict(label)
        if conflict is not None:
            raise conflict
        return next(iter(self.heads(label)), None)

    def find(self, label: str, target: str) -> Migration:
        """Return the migration that somebody typed: a name, its beginning, or a number.

        Raises:
            MigrationError: There is none, or there are several.
        """
        own = self.of(label)
        exact = [migration for migration in own if target in (migration.name, migration.id)]
        matching = exact or [
            migration
            for migration in own
            if migration.name.startswith(target)
            or (target.isdecimal() and migration.number == int(target))
        ]
        if len(matching) == 1:
            return matching[0]
        names = [migration.name for migration in matching or own]
        if matching:
            hint = f"write the name of one of them: {' or '.join(names)}"
        else:
            hint = did_you_mean(target, names) or f"it has {', '.join(names) or 'none'}, or zero"
        problem = f"{len(matching)} migrations" if matching else "no migration"
        raise MigrationError(
            f"the app {label!r} has {problem} like {target!r}", code="db.E108", hint=hint
        )

    def ancestors(self, migration_ids: Iterable[str]) -> set[str]:
        """Return the ids given and all that they require, near and far."""
        found: set[str] = set()
        waiting = list(migration_ids)
        while waiting:
            migration_id = waiting.pop()
            if migration_id not in found:
                found.add(migration_id)
                waiting.extend(self._found[migration_id].requires)
        return found

    def descendants(self, migration_ids: Iterable[str]) -> set[str]:
        """Return the ids given and all that require them, near and far."""
        found = set(migration_ids)
        for migration in self:
            if found.intersection(migration.requires):
                found.add(migration.id)
        return found

    def _check_requirements(self, migration: Migration) -> None:
        for required in migration.requires:
            if required not in self._found:
                raise missing_file(required, migration.path, known=self._found, labels=self.labels)

    def _check_cycles(self) -> None:
        sorter = TopologicalSorter({item.id: item.requires for item in self._found.values()})
        try:
            sorter.prepare()
        except CycleError as error:
            circle: Sequence[str] = error.args[1]
            raise MigrationFileError(
                f"the migrations require each other in a circle: {' -> '.join(circle)}",
                code="db.E109",
                hint="take one of them out of depends_on",
                where=Location(str(self._found[circle[0]].path), 1),
            ) from error

    def _in_order(self) -> Iterator[Migration]:
        """Go app by app, each migration after what it requires: the order people expect."""
        position = {label: index for index, label in enumerate(self.labels)}
        waiting = sorted(
            self._found.values(),
            key=lambda item: (position[item.label], item.number, item.name),
            reverse=True,
        )
        done: set[str] = set()
        while waiting:
            migration = waiting[-1]
            missing = [self._found[item] for item in migration.requires if item not in done]
            if missing:
                waiting.extend(reversed(missing))
                continue
            waiting.pop()
            if migration.id not in done:
                done.add(migration.id)
                yield migration
