"""Settings: read from one module, typed, every mistake reported at once with its place.

Names are imported when they are used, so that a settings module costs no more than it uses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .app import App as App
    from .environment import Environment as Environment
    from .environment import read_environment as read_environment
    from .finding import find_settings_module as find_settings_module
    from .finding import make_importable as make_importable
    from .module import RawSettings as RawSettings
    from .module import read_settings_module as read_settings_module
    from .report import SettingRow as SettingRow
    from .report import env_example as env_example
    from .report import settings_report as settings_report
    from .section import REQUIRED as REQUIRED
    from .section import Section as Section
    from .section import Setting as Setting
    from .settings import Settings as Settings
    from .settings import validate as validate
    from .variables import Env as Env
    from .variables import env as env

_LAZY = {
    "App": "app",
    "Env": "variables",
    "Environment": "environment",
    "REQUIRED": "section",
    "RawSettings": "module",
    "Section": "section",
    "Setting": "section",
    "SettingRow": "report",
    "Settings": "settings",
    "env": "variables",
    "env_example": "report",
    "find_settings_module": "finding",
    "make_importable": "finding",
    "read_environment": "environment",
    "read_settings_module": "module",
    "settings_report": "report",
    "validate": "settings",
}

__all__ = [
    "REQUIRED",
    "App",
    "Env",
    "Environment",
    "RawSettings",
    "Section",
    "Setting",
    "SettingRow",
    "Settings",
    "env",
    "env_example",
    "find_settings_module",
    "make_importable",
    "read_environment",
    "read_settings_module",
    "settings_report",
    "validate",
]


def __getattr__(name: str) -> object:
    from .._utils import lazy_attribute

    return lazy_attribute(__name__, _LAZY, name)
