"""State: how far the worker of this process is, for whoever asks after its health."""

from __future__ import annotations

from ..conf import Settings
from ..lifecycle import Container
from ..tasks.consumer import Consumer

__all__ = ["WorkerState"]


class WorkerState:
    """What there is of a worker.

    Args:
        settings: The project's settings.

    Attributes:
        container: The running project, from its start on.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.container: Container | None = None
        self._consumer: Consumer | None = None

    def consume(self, consumer: Consumer) -> None:
        """Note that a consumer takes jobs."""
        self._consumer = consumer

    @property
    def has_started(self) -> bool:
        """Whether its start is over: also while it stops."""
        return self._consumer is not None

    @property
    def is_failing(self) -> bool:
        """Whether the task backend fails at present."""
        return self._consumer is not None and self._consumer.is_in_trouble

    @property
    def objection(self) -> str:
        """Why no job can be run although the project is running; empty when they can."""
        if self._consumer is None:
            return "the worker has not started"
        return "the task backend fails" if self.is_failing else ""
