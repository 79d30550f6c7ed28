"""The environment variables that the framework reads."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

__all__ = ["VARIABLES"]

VARIABLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "FASTFORGE_ENV": "development, test or production",
        "FASTFORGE_SETTINGS_MODULE": "the settings module",
        "FASTFORGE_TRACEBACK": "failures whole, not as one line",
        "FASTFORGE_EMBEDDED_WORKER": "run jobs inside the web process",
        "FASTFORGE_LIFECYCLE_LOG": "a file for what each process opens and closes",
        "FASTFORGE_EDITOR": "the editor that the error page opens lines in",
        "FASTFORGE_LOG_FORMAT": "lines of the log as json, or as a text for people",
        "FASTFORGE_LOG_LEVEL": "from which level on lines are written",
        "FASTFORGE_PRE_STOP_S": "how long the platform waits before SIGTERM",
        "FASTFORGE_USER_PASSWORD": "the password that a command about users takes",
        "WEB_CONCURRENCY": "how many processes serve",
        "FORCE_COLOR": "colours also where no terminal reads",
        "NO_COLOR": "no colours",
    }
)
"""Every name and what it says. A test holds this list to the source and to the reference."""
