"""Sealed: a proof as a text for links, each kind for its own purpose and for a while."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Final

from ....lifecycle import current_container
from ....signing import BadSignature, SignatureExpired, Signer
from ..errors import ProofRefused
from ..events import PROOF_REFUSED
from ..settings import Auth

__all__ = ["REGISTRATION", "RESET", "VERIFICATION", "ProofKind", "digest_of", "used_or_void"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofKind:
    """A use of proofs; what is sealed for one opens no other.

    Args:
        purpose: What it is signed for.
        ttl: The field of AUTH that says how long it is good.
    """

    purpose: str
    ttl: str

    def seal(self, payload: Any) -> str:
        """Return a proof that can stand in a link."""
        settings = current_container().settings
        ttl_s: float = getattr(settings.section(Auth), self.ttl)
        return Signer.of(settings, self.purpose).seal(payload, ttl_s=ttl_s)

    def open(self, text: str) -> Any:
        """Return what was sealed.

        Raises:
            ProofRefused: It was not sealed here for this use, was changed, or is too old.
        """
        try:
            return Signer.of(current_container().settings, self.purpose).open(text)
        except SignatureExpired as error:
            PROOF_REFUSED.tell(reason="expired")
            raise ProofRefused(
                "this link is too old", code="auth.E054", hint="ask for a new one"
            ) from error
        except BadSignature as error:
            PROOF_REFUSED.tell(reason="forged")
            raise _void() from error


RESET: Final = ProofKind(purpose="fastforge.auth.reset", ttl="reset_ttl_s")
VERIFICATION: Final = ProofKind(purpose="fastforge.auth.verification", ttl="verification_ttl_s")
REGISTRATION: Final = ProofKind(purpose="fastforge.auth.registration", ttl="verification_ttl_s")


def used_or_void(user_id: object = None) -> ProofRefused:
    """Return the error for a proof that was good once, and write down whose it was."""
    PROOF_REFUSED.tell(user_id, reason="used_or_void")
    return _void()


def digest_of(email: str) -> str:
    """Return what binds a proof to an address without showing it in the link."""
    return hashlib.sha256(email.encode()).hexdigest()[:32]


def _void() -> ProofRefused:
    return ProofRefused(
        "this link is none of ours, was used already, or is not good any more",
        code="auth.E053",
        hint="ask for a new one",
    )
