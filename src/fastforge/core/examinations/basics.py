"""What every process of the project is made of: versions, settings, the event loop."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Final

from ... import __version__
from ..._utils import DISTRIBUTION, counted
from ...checks import Diagnosis, Patient, examination
from ..keys import weak_keys
from .versions import packages

__all__ = ["process"]

PYTHONS: Final = ((3, 11), (3, 14))
"""The oldest and the newest Python that the tests run on."""
SHOWN: Final = ("fastapi", "starlette", "uvicorn", "pydantic", "sqlalchemy", "httptools")


@examination
def process(patient: Patient) -> Iterator[Diagnosis]:
    """Look at the versions, at what the settings say of themselves, and at the event loop."""
    yield _python()
    yield from _packages()
    settings = patient.project.settings
    debug = ", DEBUG on" if settings.debug else ""
    apps = counted(len(patient.project.apps) - 1, "app")
    yield Diagnosis(
        what="settings",
        text=f"{settings.module}, {settings.environment}{debug}, {apps}",
        verdict="warn" if debug and settings.environment == "production" else "ok",
        hint="turn DEBUG off in production: it shows details of errors to whoever asks",
    )
    for refusal in weak_keys(settings):
        yield Diagnosis(
            what="keys", text=refusal.message, verdict="fail", hint=refusal.hint, stops=True
        )
    yield _loop(settings.environment)


def _python() -> Diagnosis:
    oldest, newest = PYTHONS
    fits = oldest <= sys.version_info[:2] <= newest
    return Diagnosis(
        what="Python",
        text=f"{platform.python_implementation()} {platform.python_version()},"
        f" made for {_dotted(oldest)} to {_dotted(newest)}",
        verdict="ok" if fits else "warn",
        hint=f"use a Python from {_dotted(oldest)} to {_dotted(newest)}",
    )


def _dotted(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))


def _packages() -> Iterator[Diagnosis]:
    found = list(packages(DISTRIBUTION))
    shown = ", ".join(f"{each.name} {each.version}" for each in found if each.name in SHOWN)
    yield Diagnosis(what="fastforge", text=", ".join(filter(None, (__version__, shown))))
    for each in found:
        if not each.fits:
            yield Diagnosis(
                what=each.name,
                text=f"{each.version} is installed, and fastforge is made for {each.range}",
                verdict="warn",
                hint=f'install another one: pip install "{each.name}{each.range}"',
            )


def _loop(environment: str) -> Diagnosis:
    missing = [name for name in ("uvloop", "httptools") if find_spec(name) is None]
    if sys.platform == "win32" or not missing:
        return Diagnosis(what="event loop", text="uvloop" if not missing else "asyncio's own")
    return Diagnosis(
        what="event loop",
        text=f"{' and '.join(missing)} not installed: requests cost more",
        verdict="warn" if environment == "production" else "ok",
        hint=f"pip install {' '.join(missing)}",
    )
