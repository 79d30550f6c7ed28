"""Credentials: what is a secret by its own form, whatever stands before it."""

from __future__ import annotations

import re
from typing import Final

from .names import MASK

__all__ = ["masked", "may_be_in"]

SHORTEST_PART: Final = 5

# A JSON Web Token or what else has its form; each run is looked at once.
_DOTTED: Final = re.compile(r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]++(?:\.[A-Za-z0-9_-]*+)++")
_SCHEME: Final = re.compile(
    r"(?<![A-Za-z0-9])(?P<scheme>bearer|basic|token|negotiate)(?P<space>[ \t]+)"
    r"(?P<secret>[A-Za-z0-9._~+/-]{8,}+=*)",
    re.IGNORECASE,
)
_KEY: Final = re.compile(
    r"-----BEGIN (?P<kind>[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?)-----"
    r"(?P<secret>.*?)(?P<end>-----END [A-Z0-9 ]{0,40}-----|\Z)",
    re.DOTALL,
)
_ISSUED: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])|gh[pousr]_[A-Za-z0-9]{20,}+"
    r"|github_pat_\w{20,}+|xox[abeoprs]-[\w-]{10,}+|glpat-[\w-]{16,}+|[sr]k_live_\w{16,}+"
    r"|AIza[\w-]{30,}+|ff[ark]_[\w-]{80,}+|fs[ug]_[\w-]{76,}+)"
)
"""Keys of well-known services, and tokens and cookies of our own, which begin as such."""


def may_be_in(lowered: str) -> bool:
    """Return whether a text in lower case has a hint of one that is no part of a name either."""
    return (
        "eyj" in lowered
        or "basic " in lowered
        or "akia" in lowered
        or "asia" in lowered
        or "ghp_" in lowered
        or "gho_" in lowered
        or "ghs_" in lowered
        or "hub_pat_" in lowered
        or "xox" in lowered
        or "glpat-" in lowered
        or "k_live_" in lowered
        or "aiza" in lowered
        or "ffa_" in lowered
        or "ffr_" in lowered
        or "ffk_" in lowered
        or "fsu_" in lowered
        or "fsg_" in lowered
    )


def masked(text: str, lowered: str) -> str:
    """Mask JSON Web Tokens, private keys, what follows `Bearer`, and keys of known services."""
    if "private key" in lowered:
        text = _KEY.sub(rf"-----BEGIN \g<kind>-----{MASK}\g<end>", text)
    if "eyj" in lowered:
        text = _DOTTED.sub(_masked_dotted, text)
    if "bearer" in lowered or "basic" in lowered or "token" in lowered:
        text = _SCHEME.sub(_masked_scheme, text)
    return _ISSUED.sub(MASK, text)


def _masked_dotted(match: re.Match[str]) -> str:
    run = match[0]
    start = run.find("eyJ")
    if start < 0:
        return run
    header, _, rest = run[start:].partition(".")
    longest = max(map(len, rest.split(".")))
    if len(header) < SHORTEST_PART or longest < SHORTEST_PART:
        return run
    return run[:start] + MASK


def _masked_scheme(match: re.Match[str]) -> str:
    secret = match["secret"]
    is_word = secret.rstrip(".").isalpha() and secret[1:].islower()
    if is_word:  # `Basic authentication`, `a token expires`
        return match[0]
    if match["scheme"].lower() != "bearer" and not _is_mixed(secret):
        return match[0]  # `token refresh-rate`
    return f"{match['scheme']}{match['space']}{MASK}"


def _is_mixed(secret: str) -> bool:
    """Return whether it has what words have not: a digit, capitals within, padding."""
    return any(each.isdigit() or each.isupper() or each == "=" for each in secret[1:])
