"""Entries: identities as the shared cache keeps them, signed, under keys that tell nothing.

Whoever reads the cache learns no token and cannot try guesses; whoever writes to it makes nobody
anybody: an entry is signed together with the key that it stands under.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, Self

from pydantic_core import from_json, to_json

from ....conf import Settings
from ....signing import Keys
from .principal import Identity

__all__ = ["Checked", "Entries"]

SCHEMA: Final = 1
"""Another form of entries has another number, so that nobody reads what it does not know."""
MAC_BYTES: Final = 32


class Checked(NamedTuple):
    """What came of checking a credential.

    Args:
        identity: Whose it is.
        verifier: The name of who said so.
        position: How far the log of what was forgotten had been read before.
    """

    identity: Identity
    verifier: str
    position: int


class Entries:
    """Writes and reads entries.

    Args:
        naming: The keys by which a token becomes the key of its entry.
        signing: The keys that sign entries.
    """

    def __init__(self, naming: Keys, signing: Keys) -> None:
        self._naming: Final = naming
        self._signing: Final = signing

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return those of a project; without a SECRET_KEY, those of this process alone."""
        if not settings["SECRET_KEY"]:
            return cls(Keys((secrets.token_bytes(32),)), Keys((secrets.token_bytes(32),)))
        return cls(
            Keys.of(settings, "fastforge.auth.identity-name"),
            Keys.of(settings, "fastforge.auth.identity-entry"),
        )

    def key(self, token: str) -> str:
        """Return where the entry of a token stands."""
        return f"i{SCHEMA}:{self._naming.sign(token.encode()).hex()}"

    def written(self, key: str, checked: Checked) -> bytes:
        """Return an entry for the place of a key."""
        who = checked.identity
        json = to_json(
            {
                "id": str(who.id),
                "version": who.version,
                "scopes": sorted(who.scopes),
                "superuser": who.is_superuser,
                "kind": who.kind,
                "token": who.token_id,
                "expires": who.expires_at,
                "verifier": checked.verifier,
                "position": checked.position,
            }
        )
        return self._signing.sign(_placed(key, json)) + json

    def read(self, key: str, data: bytes) -> Checked | None:
        """Return what an entry says, or None for what nobody of ours has written there."""
        mac, json = data[:MAC_BYTES], data[MAC_BYTES:]
        if not self._signing.verify(_placed(key, json), mac):
            return None
        return _read(from_json(json))


def _placed(key: str, json: bytes) -> bytes:
    return key.encode() + b"\0" + json


def _read(said: Mapping[str, Any]) -> Checked:
    identity = Identity(
        id=said["id"],
        version=said["version"],
        scopes=frozenset(said["scopes"]),
        is_superuser=said["superuser"],
        kind=said["kind"],
        token_id=said["token"],
        expires_at=said["expires"],
    )
    return Checked(identity, said["verifier"], said["position"])
