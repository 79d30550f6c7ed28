"""The package shows its names without loading what is behind them."""

from __future__ import annotations

import subprocess
import sys
import typing

import pytest

import fastforge.contrib.db as package

LIGHT = """
import sys
import typing
import fastforge.contrib.db.apps
from fastforge.contrib.db import Database
Database(url="postgresql+asyncpg://u@h/n")
print([name for name in ("fastapi", "sqlalchemy", "asyncpg", "aiosqlite") if name in sys.modules])
"""


def test_every_name_is_what_it_says() -> None:
    assert package.__all__ == sorted(package.__all__)
    for name in package.__all__:
        assert hasattr(package, name)
    assert all(callable(getattr(package, name)) for name in package.__all__ if name != "DbSession")
    session, *markers = typing.get_args(package.DbSession)
    assert session is package.Session
    assert any(callable(marker.dependency) for marker in markers)


def test_a_name_of_a_function_is_no_module() -> None:
    """A submodule called `session` would take the place of the function."""
    import fastforge.contrib.db.sessions.session
    import fastforge.contrib.db.sessions.unit  # noqa: F401

    assert package.session.__module__ == "fastforge.contrib.db.sessions.unit"


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="Sesion"):
        _ = package.Sesion


def test_reading_the_settings_loads_no_library() -> None:
    done = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
