"""Refusals: a process that cannot start says why, in one line for each mistake."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from typing import Final

from ..._utils import told
from ...exceptions import ErrorGroup, ForgeError
from ...redaction import redacted_text
from ..failures import failure_text
from ..lines import LineBuffer
from ..tracebacks import tracebacks_are_wanted
from .configuration import Configuration
from .hooks import refusal_fields
from .light import configuration_here, writes_json
from .process import stream_of

__all__ = ["tell_refusal"]

LOGGER: Final = "fastforge.start"


def tell_refusal(
    error: BaseException, *, text: str = "", configuration: Configuration | None = None
) -> None:
    """Write why this process cannot start to standard error.

    As JSON, a mistake has its `code`, `hint` and `where` as fields of their own. Elsewhere it is
    the text that a person reads, with the whole traceback before it if that was asked for.

    Args:
        error: What was raised.
        text: What an application has said of it; of an error that is not ours, several lines of
            that are its traceback.
        configuration: How the lines look; as those of this process unless given.
    """
    if configuration is None and not writes_json():
        _tell_person(error, text)
        return
    configuration = configuration or configuration_here()
    assert configuration is not None
    stream = stream_of(configuration, LineBuffer("stderr"))
    for mistake in _mistakes(error):
        is_ours = isinstance(mistake, ForgeError)
        stream.write(
            "error",
            str(mistake.args[0]) if is_ours else _line_of(mistake, text),
            LOGGER,
            refusal_fields(mistake),
            error=mistake if tracebacks_are_wanted() or not is_ours else None,
        )


def _tell_person(error: BaseException, text: str) -> None:
    if tracebacks_are_wanted():
        sys.stderr.write(redacted_text("".join(traceback.format_exception(error))))
    elif not isinstance(error, ForgeError) and "\n" in text:
        sys.stderr.write(f"{failure_text(error)}\n")
    line = str(error) if isinstance(error, ForgeError) else _line_of(error, text)
    sys.stderr.write(f"error: {line}\n")
    sys.stderr.flush()


def _line_of(error: BaseException, text: str) -> str:
    return redacted_text(text) if text and "\n" not in text else told(error)


def _mistakes(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, ErrorGroup | BaseExceptionGroup):
        for each in error.errors if isinstance(error, ErrorGroup) else error.exceptions:
            yield from _mistakes(each)
    else:
        yield error
