"""pwdlib, or the line that installs it."""

from __future__ import annotations

from ..._utils import missing_extra

try:
    from pwdlib.exceptions import PwdlibError
    from pwdlib.hashers import HasherProtocol
    from pwdlib.hashers.argon2 import Argon2Hasher
except ImportError as error:
    raise missing_extra("auth", "pwdlib") from error

__all__ = ["Argon2Hasher", "HasherProtocol", "PwdlibError"]
