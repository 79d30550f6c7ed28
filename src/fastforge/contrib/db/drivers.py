"""Drivers: the schemes that a URL may have, and the package that each needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from ..._utils import DISTRIBUTION, missing_extra
from ...exceptions import MissingExtraError

__all__ = ["DRIVERS", "Driver"]


@dataclass(frozen=True, slots=True)
class Driver:
    """The package behind a scheme.

    Attributes:
        package: What is imported.
        extra: The extra that installs it; empty for one that fastforge always brings.
    """

    package: str
    extra: str = ""

    def missing(self) -> MissingExtraError:
        """Return the error for the package that is not installed."""
        if self.extra:
            return missing_extra(self.extra, self.package)
        return MissingExtraError(
            f"the package {self.package!r} is not installed",
            code="conf.E020",
            hint=f"it belongs to {DISTRIBUTION}; repair it with:"
            f" pip install --force-reinstall {DISTRIBUTION}",
        )


DRIVERS: Final[Mapping[str, Driver]] = MappingProxyType(
    {
        "postgresql+asyncpg": Driver("asyncpg", extra="postgres"),
        "postgresql+psycopg": Driver("psycopg", extra="postgres"),
        "sqlite+aiosqlite": Driver("aiosqlite"),
    }
)
"""The driver of each scheme."""
