"""Claims: what a JSON web token says, read strictly once its signature is right."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from ....signing import now_s
from ..errors import InvalidToken

__all__ = ["LEEWAY_S", "Claims", "Expected", "audiences_of", "parsed"]

LEEWAY_S: Final = 10.0
"""How far the clocks of two machines may differ."""
LONGEST: Final = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a token says that was found good.

    Attributes:
        subject: Whom it is about.
        expires_at: When it ends, with what clocks may differ; in seconds of the epoch. None where
            that is not required, and not said.
        token_id: Its `jti`; empty where it has none.
        all: Every claim, for what a project knows to do with it.
    """

    subject: str
    expires_at: float | None
    token_id: str
    all: Mapping[str, Any]


def audiences_of(written: str | Sequence[str]) -> tuple[str, ...]:
    """Return audiences that were written as one name or as several; empty ones are none."""
    names = (written,) if isinstance(written, str) else written
    return tuple(name for name in names if name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a token has to say.

    Args:
        issuer: Who has written it; empty: anybody.
        audiences: For one of these it has to be; empty: for anybody.
        required: The claims that it has to have.
    """

    issuer: str
    audiences: Sequence[str]
    required: Sequence[str]

    def read(self, payload: bytes) -> Claims:
        """Return what a token says.

        Raises:
            InvalidToken: It does not say what is expected, or is not good at this moment.
        """
        return self.check(parsed(payload))

    def check(self, claims: Mapping[str, Any]) -> Claims:
        """Return what is said of a token.

        Raises:
            InvalidToken: It is not what is expected, or not good at this moment.
        """
        for name in self.required:
            if claims.get(name) is None:
                raise InvalidToken(f"it has no {name}")
        self._check_parties(claims)
        return Claims(
            subject=_text(claims, "sub"),
            expires_at=_end_of(claims),
            token_id=_text(claims, "jti") if claims.get("jti") is not None else "",
            all=claims,
        )

    def _check_parties(self, claims: Mapping[str, Any]) -> None:
        if self.issuer and claims.get("iss") != self.issuer:
            raise InvalidToken("somebody else has written it")
        told = claims.get("aud")
        audiences = told if isinstance(told, list) else [told]
        is_for_us = any(isinstance(each, str) and each in self.audiences for each in audiences)
        if self.audiences and not is_for_us:
            raise InvalidToken("it is for somebody else")


def parsed(payload: bytes) -> dict[str, Any]:
    """Return the object that a payload is.

    Raises:
        InvalidToken: It is none.
    """
    try:
        claims = json.loads(payload.decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise InvalidToken("what it says is no JSON") from None
    if not isinstance(claims, dict):
        raise InvalidToken("what it says is no object")
    return claims


def _refuse(_: str) -> NoReturn:
    raise ValueError  # Infinity: it would never expire


def _end_of(claims: Mapping[str, Any]) -> float | None:
    """Return when a token ends, which has begun and has not ended; None if it does not end."""
    now = now_s()
    for name in ("nbf", "iat"):
        if claims.get(name) is not None and _moment(claims, name) > now + LEEWAY_S:
            raise InvalidToken(f"its {name} is yet to come")
    if claims.get("exp") is None:
        return None
    expires_at = _moment(claims, "exp") + LEEWAY_S
    if expires_at <= now:
        raise InvalidToken("it has ended")
    return expires_at


def _moment(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidToken(f"its {name} is no number")
    try:
        moment = float(value)
    except OverflowError:
        moment = math.inf
    if not math.isfinite(moment):
        raise InvalidToken(f"its {name} is no moment")
    return moment


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST or not value.isprintable():
        raise InvalidToken(f"its {name} is no name")
    return value
