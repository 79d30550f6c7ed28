"""The tasks that mail: whether there is such an account is found out here, where nobody waits."""

from __future__ import annotations

from typing import Final

from .....lifecycle import injected
from .....tasks import Unique, task
from ....db import DbSession
from ....mail import Mailer
from ...proofs.resetting import password_reset_token
from ...proofs.verifying import email_verification_token
from ...users import user_of_email, user_of_id
from .sending import send_account_mail

__all__ = ["ONCE_A_MINUTE", "mail_password_changed", "mail_password_reset", "mail_verification"]

ONCE_A_MINUTE: Final = Unique(by="address", for_s=60)
"""Nobody's mailbox is flooded by somebody who asks again and again."""


@task(name="fastforge.contrib.auth.mail_password_reset", queue="mail", unique=ONCE_A_MINUTE)
async def mail_password_reset(
    address: str, *, db: DbSession = injected, mailer: Mailer = injected
) -> None:
    """Mail the link for another password, if there is somebody who logs in by one."""
    user = await user_of_email(db, address)
    if user is not None and user.is_active and user.has_password:
        token = password_reset_token(user)
        await send_account_mail(mailer, "password_reset", user.email, user=user, token=token)


@task(name="fastforge.contrib.auth.mail_verification", queue="mail", unique=ONCE_A_MINUTE)
async def mail_verification(
    address: str, *, db: DbSession = injected, mailer: Mailer = injected
) -> None:
    """Mail the link that verifies an address, if there is somebody who has not proven it yet."""
    user = await user_of_email(db, address)
    if user is not None and user.is_active and user.email_verified_at is None:
        token = email_verification_token(user)
        await send_account_mail(mailer, "verification", user.email, user=user, token=token)


@task(name="fastforge.contrib.auth.mail_password_changed", queue="mail")
async def mail_password_changed(
    user_id: str, *, db: DbSession = injected, mailer: Mailer = injected
) -> None:
    """Tell a user that the password is another one."""
    user = await user_of_id(db, user_id)
    if user is not None:
        await send_account_mail(mailer, "password_changed", user.email, user=user)
