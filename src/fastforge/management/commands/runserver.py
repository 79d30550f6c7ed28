"""Serve over HTTP; reloads in development.

The address is HOST:PORT or one of the two: 8001, 0.0.0.0:8000, [::1]:8000. The port is taken
before anything else starts. In development the server starts anew when a .py file changes.
"""

from __future__ import annotations

import importlib.util
import os
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from ...commands import Context, command
from ...conf import Settings
from ...exceptions import CommandError, SettingsError

if TYPE_CHECKING:
    import socket

__all__ = ["parse_address", "runserver"]

HOST: Final = "127.0.0.1"
PORT: Final = 8000
PLAIN_APPLICATION: Final = "fastforge.management.application:app"

_HOST: Final = r"\[[0-9A-Fa-f:.%a-z]+\]|[^:\[\]\s/]+"
_ADDRESS: Final = re.compile(rf"(?:(?P<host>{_HOST})?:)?(?P<port>\d+)|(?P<only>{_HOST})")


@command(starts="nothing")
def runserver(
    address: Annotated[str, f"HOST:PORT; {HOST}:{PORT} unless given."] = "",
    /,
    *,
    reload: Annotated[
        bool | None, "Start anew when a .py file changes; on in development unless given."
    ] = None,
    context: Context,
) -> int:
    """Take the port, then read the settings, then serve."""
    from ...server.listening import bind

    host, port = parse_address(address)
    with bind(host, port) as sock:
        from ...project import Outline

        settings = Outline.read(context.settings_module).settings
        # For the application's own module, also in a child process.
        os.environ["FASTFORGE_SETTINGS_MODULE"] = settings.module
        application = _application(settings)
        reloads = _is_for_development(settings) if reload is None else reload
        context.echo(_greeting(settings, host, sock, reloads=reloads))
        return _serve(application, settings, sock, reloads=reloads)


def parse_address(text: str) -> tuple[str, int]:
    """Return the host and the port of `[HOST:]PORT` or `HOST`.

    Raises:
        CommandError: It has another form.
    """
    match = _ADDRESS.fullmatch(text) if text else None
    if text and match is None:
        raise CommandError(
            f"{text!r} is no address to listen on",
            code="management.E011",
            hint="write 8000, 0.0.0.0:8000 or [::1]:8000",
        )
    if match is None:
        return HOST, PORT
    host = match["host"] or match["only"] or HOST
    return host.strip("[]"), int(match["port"] or PORT)


def _is_for_development(settings: Settings) -> bool:
    return settings.environment == "development" or settings.debug


def _greeting(settings: Settings, host: str, sock: socket.socket, *, reloads: bool) -> str:
    shown = f"[{host}]" if ":" in host else host
    facts = [settings.module, settings.environment, *(["reloads on changes"] if reloads else [])]
    return f"http://{shown}:{sock.getsockname()[1]} ({', '.join(facts)}; Ctrl-C stops)"


def _serve(application: str, settings: Settings, sock: socket.socket, *, reloads: bool) -> int:
    if reloads:
        from ...server.reload import serve_with_reload

        return serve_with_reload(application, sock, root=_import_folder(settings))
    from ...core.settings import Server
    from ...server.serve import serve

    return serve(application, sock, graceful_s=settings.section(Server).graceful_s)


def _application(settings: Settings) -> str:
    """Return the entry of `pyproject.toml`, else the `app` of the package's `asgi.py`."""
    if entrypoint := _entrypoint(settings.root / "pyproject.toml"):
        return entrypoint
    package = settings.module.partition(".")[0]
    has_asgi = "." in settings.module and importlib.util.find_spec(f"{package}.asgi")
    return f"{package}.asgi:app" if has_asgi else PLAIN_APPLICATION


def _entrypoint(pyproject: Path) -> str:
    if not pyproject.is_file():
        return ""
    try:
        tool = tomllib.loads(pyproject.read_text(encoding="utf-8")).get("tool", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"pyproject.toml is not valid TOML: {error}", code="conf.E014", where=str(pyproject)
        ) from error
    return str(tool.get("fastapi", {}).get("entrypoint", ""))


def _import_folder(settings: Settings) -> Path:
    """Return the folder that the project is imported from: its root, or `src` in it."""
    spec = importlib.util.find_spec(settings.module)
    file = spec.origin if spec else None
    assert file is not None  # the settings have been read from it
    return Path(file).resolve().parents[settings.module.count(".")]
