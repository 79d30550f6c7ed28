"""Workshop: proofs of one server one after the other, and the files that are worth keeping."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from ..exceptions import CommandError
from .probing import Choice, probe, refusal
from .proof import prove_start, prove_under_load
from .report import Report
from .scenario import Disturbance, Scenario
from .subject import Subject, ready

__all__ = ["Workshop"]

FIT_PATH: Final = "name with --path what answers a GET with less than 400, to its end"
FIT_SOCKET: Final = "name with --socket the path of a web socket that opens for everybody"


class Workshop:
    """A folder in which one server is put to the proof; of clean proofs nothing is kept.

    ```python
    with Workshop(subject) as workshop:
        report = await workshop.prove(scenario, Choice(paths=("/articles",)))
    ```

    Args:
        subject: The server.
    """

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._folder = Path(tempfile.mkdtemp(prefix="fastforge-chaos-"))
        self._number = 0
        self._is_worth_keeping = False

    async def choose(self, found: Choice, named: Choice) -> Choice:
        """Start the server once to find out what it can be asked for.

        Args:
            found: What its routes offer; what does not work of that is left out.
            named: What somebody has asked for, in place of it; that has to work.

        Raises:
            CommandError: A path that was named cannot be asked for, or there is none at all.
            StartError: The server does not start.
        """
        target = self._subject.target
        with self._subject.start(self._new_folder()) as program:
            await ready(self._subject, program)
            for path in (*named.paths, *named.sockets):
                if why := await refusal(path, target, socket=path in named.sockets):
                    raise _unfit(path, why, FIT_SOCKET if path in named.sockets else FIT_PATH)
            choice = await probe(found, target)
        paths, sockets = (*named.paths, *choice.paths), (*named.sockets, *choice.sockets)
        if not paths and not sockets:
            raise _unfit("/", "no route can be asked for by its path alone", FIT_PATH)
        return replace(choice, paths=paths, sockets=sockets)

    async def prove(self, scenario: Scenario, choice: Choice) -> Report:
        """Run one scenario.

        Raises:
            StartError: The server does not start.
        """
        folder = self._new_folder()
        if scenario.disturbance is Disturbance.START:
            report = await prove_start(scenario, self._subject, folder)
        else:
            report = await prove_under_load(scenario, self._subject, choice, folder)
        if report.is_clean:
            shutil.rmtree(folder)
            return replace(report, log="")
        self._is_worth_keeping = True
        return report

    def _new_folder(self) -> Path:
        self._number += 1
        return self._folder / str(self._number)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._is_worth_keeping:
            # What somebody has cleaned up already must not stand in the place of the error.
            shutil.rmtree(self._folder, ignore_errors=True)


def _unfit(path: str, why: str, fit: str) -> CommandError:
    return CommandError(
        f"{path} cannot be asked for under load: {why}", code="chaos.E001", hint=fit
    )
