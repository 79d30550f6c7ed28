"""MailSender: takes messages, as jobs or at once, and hands them to the backend."""

from __future__ import annotations

import logging

from ..._utils import counted
from ...exceptions import ResourceUnavailable
from .backend import Delivery, MailTransport
from .errors import MailRefused, MailUnavailable
from .letter import Letter, letter_of
from .measured import count
from .message import Message
from .settings import Mail

__all__ = ["MailSender"]

logger = logging.getLogger("fastforge.mail")


class MailSender:
    """Sends messages; handlers, tasks and commands get it as `Mailer`.

    ```python
    @router.post("/orders")
    async def order(db: DbSession, mailer: Mailer) -> None:
        ...
        await mailer.send(Message(to=user.email, subject="Your order", text="It is on its way."))
    ```

    Args:
        config: The section.
        transport: What delivers.
        name: What MAIL calls that.
    """

    def __init__(self, config: Mail, transport: MailTransport, name: str) -> None:
        self.config = config
        self.name = name
        self._transport = transport

    async def send(self, message: Message, *, immediately: bool = False) -> str:
        """Enqueue a message, in the transaction that runs here if there is one.

        Surprises: inside a transaction nothing is sent before it commits, and nothing ever is when
        it rolls back. A worker sends it, at least once: where one dies between the server's yes
        and its own note of it, the message is sent again, with the same `Message-ID`.

        ```python
        await mailer.send(Message(to="ann@example.org", subject="Hello", text="..."))
        ```

        Args:
            message: The message.
            immediately: Send it here and now, and raise what fails: nothing is tried again, and a
                transaction that rolls back later does not take it back.

        Returns:
            Its `Message-ID`.

        Raises:
            MessageError: It is too large, has too many recipients, or nobody sends it.
            MailRefused: With `immediately`: the server does not take it for all its recipients.
            MailUnavailable: With `immediately`: the server cannot take it now.
        """
        letter = letter_of(message, self.config)
        if not immediately:
            from .tasks import deliver  # which is given this object

            await deliver.enqueue(letter)
            return letter.message_id
        delivery = await self.deliver(letter)
        left = len(delivery.deferred) + len(delivery.refused)
        if left:
            raise MailRefused(
                f"the message was not taken for {left} of {len(letter.recipients)} recipients",
                code="mail.E009",
                hint="the others have got it; without `immediately` it is tried again",
            )
        return letter.message_id

    async def deliver(self, letter: Letter) -> Delivery:
        """Hand a letter to the backend now: the task does.

        Raises:
            MailRefused: It is refused for good, for all its recipients.
            MailUnavailable: It cannot be handed over now.
        """
        try:
            delivery = await self._transport.deliver(letter)
        except MailRefused:
            count("refused")
            raise
        except (MailUnavailable, ResourceUnavailable):
            count("unavailable")
            raise
        count("partly" if delivery.deferred or delivery.refused else "sent")
        self._tell(letter, delivery)
        return delivery

    def _tell(self, letter: Letter, delivery: Delivery) -> None:
        recipients = counted(len(letter.recipients), "recipient")
        fields: dict[str, object] = {"message_id": letter.message_id}
        if self.config.log_addresses:
            fields["recipients"] = list(letter.recipients)
        if not (delivery.deferred or delivery.refused):
            logger.info("sent %s to %s", letter.message_id, recipients, extra=fields)
            return
        logger.warning(
            "sent %s to some of %s: %d are to be tried again, %d are refused for good",
            letter.message_id,
            recipients,
            len(delivery.deferred),
            len(delivery.refused),
            extra=fields,
        )
