"""Errors: what is not asked, and what is not read to its end; each code names the rule."""

from __future__ import annotations

from typing import ClassVar

from ..errors import UpstreamError, UpstreamLate
from ..library import httpx

__all__ = ["AnswerRefused", "ExternalLate", "ExternalRefused"]


class ExternalRefused(UpstreamError, httpx.RequestError):
    """A URL that `http.external()` does not ask, or does not follow: 422 where nobody handles it.

    ```python
    try:
        answer = await http.external().get(url)
    except ExternalRefused as refused:
        raise HTTPException(422, refused.message) from refused
    ```

    Surprises: the message names the host of the URL and the rule, never the address behind it.
    """

    status: ClassVar[int] = 422


class AnswerRefused(UpstreamError, httpx.RequestError):
    """An answer is longer than it may be, or not encoded as asked: 502 where nobody handles it."""


class ExternalLate(UpstreamLate, httpx.ReadTimeout):
    """A call, with all that it was led on to, takes longer than it may: 504."""
