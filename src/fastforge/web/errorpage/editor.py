"""Editor: links that open a line of the source where the developer writes it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

__all__ = ["EDITOR_VARIABLE", "editor_link"]

EDITOR_VARIABLE: Final = "FASTFORGE_EDITOR"
"""The name of an editor, or a link with `{file}` and `{line}` in it; empty for no links."""

LINKS: Final[Mapping[str, str]] = {
    "vscode": "vscode://file/{file}:{line}",
    "cursor": "cursor://file/{file}:{line}",
    "windsurf": "windsurf://file/{file}:{line}",
    "zed": "zed://file/{file}:{line}",
    "pycharm": "pycharm://open?file={file}&line={line}",
    "sublime": "subl://open?url=file://{file}&line={line}",
}
_TERMINALS: Final[Mapping[tuple[str, str], str]] = {
    ("TERM_PROGRAM", "vscode"): "vscode",
    ("TERM_PROGRAM", "zed"): "zed",
    ("TERMINAL_EMULATOR", "JetBrains-JediTerm"): "pycharm",
}


def editor_link(file: str, line: int, environ: Mapping[str, str] | None = None) -> str:
    """Return the link that opens a line; empty where nobody has said in what.

    A terminal inside of an editor says it.

    >>> editor_link("/shop/a b.py", 7, {"FASTFORGE_EDITOR": "vscode"})
    'vscode://file//shop/a%20b.py:7'
    """
    environ = os.environ if environ is None else environ
    chosen = environ.get(EDITOR_VARIABLE)
    if chosen is None:
        found = (
            editor for (name, value), editor in _TERMINALS.items() if environ.get(name) == value
        )
        chosen = next(found, "")
    link = LINKS.get(chosen, chosen)
    if "{file}" not in link:
        return ""
    return link.replace("{file}", quote(file)).replace("{line}", str(line))
