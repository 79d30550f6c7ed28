"""The app that sends mail."""

from __future__ import annotations

from ...apps import AppConfig
from .settings import Mail

__all__ = ["MailConfig"]


class MailConfig(AppConfig):
    """Brings the resource behind `Mailer`, the task that delivers, and the setting MAIL.

    It requires no other app: messages wait wherever TASKS.backend keeps the project's jobs.
    """

    name = "fastforge.contrib.mail"
    settings = (Mail,)
