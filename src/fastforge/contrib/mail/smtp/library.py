"""aiosmtplib, or the line that installs it."""

from __future__ import annotations

from ...._utils import missing_extra

try:
    import aiosmtplib as smtp
except ImportError as error:
    raise missing_extra("mail", "aiosmtplib") from error

__all__ = ["smtp"]
