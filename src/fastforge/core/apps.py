"""The framework as the first installed app of every project."""

from __future__ import annotations

from ..apps import AppConfig
from ..cache.settings import Caching
from ..channels.settings import Channels
from ..observability.settings import Logging
from ..observability.watchdog.settings import Watchdog
from ..tasks.settings import Tasks
from ..web.settings import Cors, Health, Security
from .identity import COMMANDS, LABEL
from .settings import PLAIN_SETTINGS, Server

__all__ = ["CoreConfig"]


class CoreConfig(AppConfig):
    """Brings the built-in kinds, settings, checks and commands, as any app brings its own."""

    name = "fastforge.core"
    label = LABEL
    settings = (
        *PLAIN_SETTINGS,
        Server,
        Security,
        Cors,
        Health,
        Logging,
        Tasks,
        Caching,
        Channels,
        Watchdog,
    )
    commands = COMMANDS
