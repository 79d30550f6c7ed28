"""Files: one found below the folders by its name, and the answer that it makes."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path

import anyio.to_thread
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

__all__ = ["StaticFolders"]


class StaticFolders(StaticFiles):
    """The folders that static files are served from; a file in an earlier one wins.

    Never served: what lies outside of its folder, also behind a symbolic link; names that begin
    with a dot, and what lies in such a folder; folders themselves.

    Args:
        folders: The folders, the first first.
        max_age_s: How long a browser may use a file without asking, in seconds.
    """

    def __init__(self, folders: Iterable[Path], *, max_age_s: int) -> None:
        super().__init__()
        self.folders = tuple(os.path.realpath(folder) for folder in folders)
        self.cache_control = f"public, max-age={max_age_s}" if max_age_s else "no-cache"

    async def answer(self, path: str, scope: Scope) -> Response | None:
        """Return the answer to a GET or HEAD for a path below the folders, or None.

        It has an ETag, and is 304 when the client has that version already.
        """
        # In a thread: a disk may be slow, and a network disk may hang.
        file, found = await anyio.to_thread.run_sync(self.lookup_path, path)
        if found is None:
            return None
        response = self.file_response(file, found, scope)
        response.headers["cache-control"] = self.cache_control
        return response

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        """Return the file of a path and what the disk says of it."""
        if path.endswith("/") or "\\" in path or "\0" in path or _is_hidden(path):
            return "", None
        for folder in self.folders:
            file = os.path.realpath(os.path.join(folder, path))
            if not file.startswith(folder + os.sep) or _is_hidden(file.removeprefix(folder)):
                continue
            try:
                found = os.stat(file)
            except OSError:  # not there; a name that is too long; links that lead in a circle
                continue
            if stat.S_ISREG(found.st_mode) and os.access(file, os.R_OK):
                return file, found
        return "", None


def _is_hidden(path: str) -> bool:
    """Return whether a part of a path begins with a dot; `..` does as well."""
    return any(part.startswith(".") for part in path.split("/"))
