"""Asking: a URL for a JSON object, by the client for hosts that are not ours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ....lifecycle import current_container
from ...http import http_client
from ...http.errors import UpstreamError
from .errors import IssuerAway
from .places import Places

__all__ = ["ask"]


async def ask(
    places: Places,
    url: str,
    *,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return the object that a URL answers with.

    Args:
        places: Which hosts may be asked.
        url: One that they have checked.
        form: What is posted; None: nothing, by GET.
        headers: Further ones.

    Raises:
        IssuerAway: It is away, refused, late, or answers with something else.
    """
    http = current_container()[http_client].external(**places.options(url))
    try:
        answer = await http.request(
            "GET" if form is None else "POST",
            url,
            data=form,
            headers={"Accept": "application/json", **(headers or {})},
            follow_redirects=False,
        )
    except UpstreamError as error:
        raise _away(url, error.message) from error
    if answer.status_code != 200:
        raise _away(url, f"it answers with {answer.status_code}")
    try:
        found = json.loads(answer.content.decode("utf-8"))
    except (ValueError, RecursionError):
        raise _away(url, "its answer is no JSON") from None
    if not isinstance(found, dict):
        raise _away(url, "its answer is no object")
    return found


def _away(url: str, problem: str) -> IssuerAway:
    return IssuerAway(
        f"{url} cannot say whose a token is: {problem}",
        code="auth.E034",
        hint="see whether it runs, and whether it is the URL that its documentation names",
    )
