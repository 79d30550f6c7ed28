"""The task that mails whoever registers: what it says depends on whether they have an account."""

from __future__ import annotations

from .....lifecycle import injected
from .....tasks import task
from ....db import DbSession
from ....mail import Mailer
from ...proofs.sealed import REGISTRATION
from ...users import user_of_email
from ..mail.sending import send_account_mail
from ..mail.tasks import ONCE_A_MINUTE

__all__ = ["mail_registration"]


@task(name="fastforge.contrib.auth.mail_registration", queue="mail", unique=ONCE_A_MINUTE)
async def mail_registration(
    address: str, *, db: DbSession = injected, mailer: Mailer = injected
) -> None:
    """Mail the link that finishes a registration, or that there is an account already."""
    user = await user_of_email(db, address)
    if user is None:
        token = REGISTRATION.seal(address)
        await send_account_mail(mailer, "registration", address, token=token)
    elif user.is_active:
        await send_account_mail(mailer, "registered_already", user.email, user=user)
