"""Versions: what is installed, against what fastforge is made for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from typing import Final

__all__ = ["Package", "packages"]

_REQUIREMENT: Final = re.compile(
    r"(?P<name>[\w.-]+)\s*(?:\[[^]]*\])?\s*\(?(?P<range>[^;)]*)\)?\s*(?:;(?P<marker>.*))?"
)
_BOUND: Final = re.compile(r"(?P<how>>=|<=|==|!=|<|>)\s*(?P<version>[\d.]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A package that is installed, and what is asked of it.

    Attributes:
        name: Its name.
        version: Its version.
        range: Which versions fastforge is tested with; empty for any.
    """

    name: str
    version: str
    range: str

    @property
    def fits(self) -> bool:
        """Whether the version lies in the range."""
        return all(
            _holds(bound["how"], _numbers(self.version), _numbers(bound["version"]))
            for bound in _BOUND.finditer(self.range)
        )


def packages(distribution: str) -> Iterator[Package]:
    """Yield the packages that a distribution asks for and that are installed, by name.

    Args:
        distribution: Its name; one that nobody has installed asks for nothing.
    """
    try:
        requirements = metadata.requires(distribution) or []
    except metadata.PackageNotFoundError:  # a source tree
        return
    seen: set[str] = set()
    for match in sorted(filter(None, map(_REQUIREMENT.match, requirements)), key=lambda m: m[0]):
        name = match["name"]
        if name in seen or name == distribution:
            continue
        seen.add(name)
        try:
            yield Package(name=name, version=metadata.version(name), range=match["range"].strip())
        except metadata.PackageNotFoundError:  # of an extra, or of another platform
            continue


def _numbers(version: str) -> tuple[int, ...]:
    """Return the numbers that a version begins with: those of a release."""
    return tuple(int(part) for part in re.findall(r"\d+", version.partition("+")[0])[:4])


def _holds(how: str, version: tuple[int, ...], bound: tuple[int, ...]) -> bool:
    length = max(len(version), len(bound))
    ours, theirs = (numbers + (0,) * (length - len(numbers)) for numbers in (version, bound))
    match how:
        case ">=":
            return ours >= theirs
        case "<=":
            return ours <= theirs
        case "<":
            return ours < theirs
        case ">":
            return ours > theirs
        case "==":
            return ours == theirs
    return ours != theirs
