"""The resources of one process: what hashes passwords, and what knows who asks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from ..._utils import told
from ...exceptions import StartError
from ...lifecycle import current_container, provide, resource, section
from ...observability.settings import Logging
from .hashing import Hashing
from .identity.checking import Checking
from .identity.entries import Entries
from .identity.log import ForgottenLog
from .identity.resolving import Identities
from .identity.shared import SharedEntries
from .kinds import CREDENTIALS, TOKEN_VERIFIERS
from .library import PwdlibError
from .model import key_type_of
from .passwords import PasswordHashing
from .settings import Auth
from .tokens.keys import TokenKeys

__all__ = ["Passwords", "identities", "passwords", "token_keys"]


@resource
async def passwords(config: Annotated[Auth, section(Auth)]) -> AsyncIterator[PasswordHashing]:
    """Give what hashes passwords in this process.

    Raises:
        StartError: An old hasher of AUTH.old_hashers, or what it needs, is not there.
    """
    settings = current_container().settings
    try:
        hashing = Hashing.of(config, settings.environment)
    except (ImportError, AttributeError, TypeError, PwdlibError) as error:
        raise StartError(
            f"AUTH.old_hashers cannot be used: {told(error)}",
            code="auth.E012",
            hint="name classes such as pwdlib.hashers.bcrypt.BcryptHasher, and install what they"
            " need",
            where=settings.where("AUTH"),
        ) from error
    yield PasswordHashing(hashing, threads=config.hashing_threads, queue=config.hashing_queue)


Passwords = Annotated[PasswordHashing, provide(passwords)]
"""What hashes passwords: `async def sign_up(hashing: Passwords) -> None`."""


@resource
async def identities(config: Annotated[Auth, section(Auth)]) -> AsyncIterator[Identities]:
    """Give what knows who asks, by the sources and verifiers of all apps."""
    from .users import model_of  # which asks for `passwords`

    container = current_container()
    registry, settings = container.registry, container.settings
    log = ForgottenLog(max_unconfirmed_s=config.max_unconfirmed_s)
    yield Identities(
        sources=registry.values(CREDENTIALS),
        checking=Checking(
            registry.values(TOKEN_VERIFIERS),
            log,
            concurrency=config.verify_concurrency,
            queue=config.verify_queue,
        ),
        log=log,
        key_type=key_type_of(model_of(settings)),
        shared=SharedEntries(Entries.of(settings), container, ttl_s=config.identity_ttl_s),
        tells_user=settings.section(Logging).user_id,
    )


@resource
async def token_keys() -> AsyncIterator[TokenKeys]:
    """Give the keys that tokens are signed with; each is made when it is first needed."""
    yield TokenKeys(current_container().settings)
