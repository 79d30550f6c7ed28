"""Jobs on Redis, in the format of arq, enqueued in the transactions of the project's database.

Names are imported when they are used, so that reading the settings loads neither redis nor arq.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .backend import ArqBackend as ArqBackend
    from .wire import dump_json as dump_json
    from .wire import load_json as load_json

_LAZY = {"ArqBackend": "backend", "dump_json": "wire", "load_json": "wire"}

__all__ = ["ArqBackend", "dump_json", "load_json"]


def __getattr__(name: str) -> object:
    from ..._utils import lazy_attribute

    return lazy_attribute(__name__, _LAZY, name)
