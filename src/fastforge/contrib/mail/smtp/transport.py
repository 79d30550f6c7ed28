"""SmtpTransport: hands letters to the server of MAIL."""

from __future__ import annotations

from ....lifecycle import Breaker
from ....observability.tracing import span
from ..backend import Delivery
from ..errors import MailServerAway
from ..letter import Letter
from ..settings import Mail
from .connections import Connections
from .failures import failure_of, is_for_good
from .library import smtp

__all__ = ["SmtpTransport", "breaker_of"]


def breaker_of() -> Breaker:
    """Return a breaker for the deliveries of a process."""
    return Breaker("mail", failures=(MailServerAway,), within_s=60, longest_pause_s=30)


class SmtpTransport:
    """Hands letters over, one connection each at a time.

    Args:
        config: The section.
        connections: Where connections come from.
        breaker: Lets deliveries fail at once while the server is away.
    """

    def __init__(self, config: Mail, connections: Connections, breaker: Breaker) -> None:
        self._config = config
        self._connections = connections
        self._breaker = breaker

    async def deliver(self, letter: Letter, /) -> Delivery:
        """Hand a letter over.

        Raises:
            MailRefused: The server takes it for no recipient, and will not later.
            MailUnavailable: Not now.
        """
        known: dict[str, str | int] = {
            "server.address": self._config.host,
            "server.port": self._config.real_port,
        }
        with self._breaker, span("send mail", kind="client", attributes=known):
            try:
                return await self._deliver(letter)
            except (smtp.SMTPException, OSError, ValueError) as error:
                # Also what its cause repeats: addresses would stand in the log.
                raise failure_of(error, self._config) from None

    async def _deliver(self, letter: Letter) -> Delivery:
        async with self._connections.connected() as client:
            errors, _ = await client.sendmail(
                letter.sender, list(letter.recipients), letter.content.encode("ascii")
            )
        refused = tuple(each for each, answer in errors.items() if is_for_good(answer.code))
        deferred = tuple(each for each in errors if each not in refused)
        return Delivery(deferred=deferred, refused=refused)
