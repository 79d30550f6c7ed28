"""Variables: what the settings read of the environment, as production has to give it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from ..._utils import redact
from ...conf.feeding import Feed, feeds_of
from ...conf.recording import EnvVariable
from ...conf.redaction import is_secret_name
from ...conf.report import default_text
from ...conf.settings import Settings
from ...conf.variables import example, type_name

__all__ = ["Purpose", "Variable", "variables_of"]

Purpose = Literal["", "database", "hosts", "key", "redis"]
"""What a variable is for, where that is known."""

URL_FIELDS: Final = frozenset({"direct_url", "url"})
NEW_KEY: Final = 'python -c "import secrets; print(secrets.token_urlsafe(48))"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One variable that the settings module reads.

    Args:
        name: Its name.
        facts: What can be said of it in one line.
        purpose: What it is for.
        is_secret: Whether its value may be seen by few: it is declared so, is called so, or is an
            address with a password in it.
        is_wanted: Whether production needs a value: without one it does not start, or nobody
            reaches it.
        sample: What stands in place of a value; for an optional one its default. Never a secret.
    """

    name: str
    facts: str
    purpose: Purpose = ""
    is_secret: bool = False
    is_wanted: bool = False
    sample: str = ""


def variables_of(settings: Settings, *, name: str, database_url: str) -> tuple[Variable, ...]:
    """Return what the settings read of the environment, in the order in which they do.

    Args:
        settings: The settings.
        name: What the project is called.
        database_url: How an address of the database looks.
    """
    samples: Mapping[Purpose, str] = {
        "database": database_url,
        "hosts": f"{name}.example.com",
        "key": "",
        "redis": "redis://:PASSWORD@HOST:6379/0",
    }
    purposes = dict(_purposes(settings))
    found = {each.name: each for each in reversed(settings.raw.record.variables)}
    return tuple(
        _variable(each, purposes.get(each.name, ""), samples) for each in reversed(found.values())
    )


def _variable(each: EnvVariable, purpose: Purpose, samples: Mapping[Purpose, str]) -> Variable:
    is_secret = each.secret or purpose in {"database", "redis"} or is_secret_name(each.name)
    if purpose:
        sample = samples[purpose]
    elif each.secret or is_secret_name(each.name):
        sample = ""
    else:
        sample = example(each.type) if each.required else _in_one_line(default_text(each.default))
    how = f"make one: {NEW_KEY}" if purpose == "key" else ""
    facts = (_in_one_line(each.help), type_name(each.type), how)
    return Variable(
        name=each.name,
        facts="; ".join(filter(None, facts)),
        purpose=purpose,
        is_secret=is_secret,
        is_wanted=each.required or bool(purpose),
        sample=sample,
    )


def _in_one_line(text: str) -> str:
    """Return a text as a comment may have it, without the password that it might have."""
    return redact(" ".join(text.split()))


def _purposes(settings: Settings) -> Iterator[tuple[str, Purpose]]:
    """Yield the variables whose purpose is known from the field that they feed."""
    purposes: Mapping[str, Purpose] = {
        "REDIS": "redis",
        "DATABASES": "database",
        "ALLOWED_HOSTS": "hosts",
        "SECRET_KEY": "key",
    }
    for setting, purpose in purposes.items():
        for feed in feeds_of(settings, setting):
            if purpose in {"hosts", "key"} or _is_url(feed):
                yield feed.variable.name, purpose


def _is_url(feed: Feed) -> bool:
    return bool(feed.path) and feed.path[-1] in URL_FIELDS
