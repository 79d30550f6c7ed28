"""Exporter: what one process does so that its metrics can be read, from its start to its stop."""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from ...lifecycle import Container, Role
from ...observability.metrics import Sample, meter_of, process_meter, snapshot
from .folder import Folder, UnfitFolder
from .listener import Listener
from .locks import is_possible
from .merging import Merged
from .page import PATH, metrics_page, only_at
from .publishing import Publisher
from .settings import Prometheus

__all__ = ["Exporter", "folder_of"]

logger = logging.getLogger("fastforge.contrib.prometheus")

STATE_DIRECTORY: Final = "STATE_DIRECTORY"
"""Systemd's variable. The temporary folder of each of its units is another one."""


class Exporter:
    """Shows the metrics of a running project, and of the processes beside this one.

    Args:
        container: The running project.
        config: The settings.

    Attributes:
        page: The application that answers with them.
    """

    def __init__(self, container: Container, config: Prometheus) -> None:
        self.page = metrics_page(self.samples, token=config.token)
        self._config = config
        self._container = container
        self._folder: Folder | None = None
        self._publisher: Publisher | None = None
        self._listener: Listener | None = None

    def samples(self) -> Iterable[Sample]:
        """Return what all processes of this server have counted; any thread may ask."""
        if self._folder is None or self._publisher is None:
            merged = Merged()
            merged.add_samples(snapshot(self._container))
        else:
            self._publisher.publish()
            merged = self._folder.read()
        return merged.samples()

    def open(self) -> None:
        """Meet the other processes, and show the page if nobody does; it may touch the disk."""
        self._enter()
        port = port_of(self._container, self._config)
        if port:
            app = only_at(PATH, self.page)
            self._listener = Listener(app, host=self._config.host, port=port, folder=self._folder)
            self._listener.start()

    def close(self) -> None:
        """Write down what is left, and go."""
        if self._listener is not None:
            self._listener.close()
        if self._publisher is not None:
            self._publisher.close()
        if self._folder is not None:
            self._keep_in(None)
            self._folder.leave()

    def _enter(self) -> None:
        if not is_possible:
            return
        is_in_shared = self._config.directory is None and not _state_directory()
        folder = Folder(folder_of(self._container, self._config), is_in_shared=is_in_shared)
        try:
            shelf = folder.enter()
        except UnfitFolder as error:
            logger.warning(
                "the metrics of this process are shown without those of others: %s;"
                " set PROMETHEUS.directory",
                error,
            )
            return
        self._folder = folder
        self._keep_in(shelf.place)
        self._publisher = Publisher(self._container, shelf.place)
        self._publisher.start()

    def _keep_in(self, place: object) -> None:
        for meter in (process_meter, meter_of(self._container)):
            meter.keep_in(place)  # type: ignore[arg-type]


def port_of(container: Container, config: Prometheus) -> int:
    """Return the port of the page in this kind of process; 0: there is none."""
    return config.worker_port if container.role is Role.WORKER else config.port


def folder_of(container: Container, config: Prometheus) -> Path:
    """Return where the processes of one server of a project meet."""
    settings = container.settings
    base = _base() if config.directory is None else settings.root / config.directory
    whose = hashlib.sha256(f"{settings.root}\0{settings.module}".encode()).hexdigest()[:8]
    project = settings.module.partition(".")[0]
    port = port_of(container, config)
    return base / f"{project}-{whose}-{container.role}-{port}"


def _base() -> Path:
    """Return a folder of ours; under systemd the state directory, which all units share."""
    state = _state_directory()
    if state:
        return Path(state) / "metrics"
    user = os.geteuid() if hasattr(os, "geteuid") else 0
    return Path(tempfile.gettempdir()) / f"fastforge-metrics-{user}"


def _state_directory() -> str:
    return os.environ.get(STATE_DIRECTORY, "").partition(":")[0]
