"""SECURITY: what browsers are not told, and could be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ...checks import Level, Message, check
from ...web.settings import Security

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["browsers_keep_to_https", "browsers_protect_pages", "scripts_are_limited"]

A_MONTH_S: Final = 30 * 86_400
TELLING: Final = frozenset({"unsafe-url", "no-referrer-when-downgrade"})
SCRIPTS: Final = re.compile(r"(?:^|;)\s*(script-src|default-src)\s([^;]*)")
LOOSE: Final = ("'unsafe-inline'", "'unsafe-eval'", "*", "http:", "https:", "data:")


@check(tags={"security", "settings"}, deploy=True)
def browsers_keep_to_https(project: Project) -> Iterator[Message]:
    """Tell that the first request of a visit may go out unencrypted."""
    age_s = project.settings.section(Security).hsts_max_age_s
    where = project.settings.where("SECURITY")
    if not age_s:
        yield Message(
            id="web.W067",
            level=Level.WARNING,
            text="SECURITY.hsts_max_age_s is 0: browsers may be led to an unencrypted copy",
            hint="leave it at a year; it is sent over HTTPS alone",
            where=where,
        )
    elif age_s < A_MONTH_S:
        yield Message(
            id="web.W068",
            level=Level.WARNING,
            text=f"SECURITY.hsts_max_age_s is {age_s:,}: whoever comes less often is not protected",
            hint=f"write {A_MONTH_S:,} or more; a year is usual",
            where=where,
        )


@check(tags={"security", "settings"}, deploy=True)
def browsers_protect_pages(project: Project) -> Iterator[Message]:
    """Tell which headers of protection are switched off."""
    security = project.settings.section(Security)
    where = project.settings.where("SECURITY")
    if not security.content_type_options:
        yield Message(
            id="web.W069",
            level=Level.WARNING,
            text="SECURITY.content_type_options is empty: browsers may run an upload as a script",
            hint="leave it at 'nosniff'",
            where=where,
        )
    if not security.frame_options and "frame-ancestors" not in security.content_security_policy:
        yield Message(
            id="web.W070",
            level=Level.WARNING,
            text="SECURITY.frame_options is empty: any page may show yours in a frame, and have"
            " it clicked",
            hint="leave it at 'DENY', or write frame-ancestors into content_security_policy",
            where=where,
        )
    if security.referrer_policy in TELLING:
        yield Message(
            id="web.W071",
            level=Level.WARNING,
            text=f"SECURITY.referrer_policy is {security.referrer_policy!r}: other hosts are told"
            " whole URLs, with what is secret in them",
            hint="leave it at 'strict-origin-when-cross-origin'",
            where=where,
        )


@check(tags={"security", "settings"}, deploy=True)
def scripts_are_limited(project: Project) -> Iterator[Message]:
    """Tell of a policy that lets run what somebody has slipped into a page."""
    policy = project.settings.section(Security).content_security_policy
    directives = {found[1]: found[2].split() for found in SCRIPTS.finditer(policy)}
    sources: list[str] = directives.get("script-src", directives.get("default-src", []))
    loose = [each for each in sources if each in LOOSE]
    is_named = any(each.startswith(("'nonce-", "'sha")) for each in sources)
    if is_named:  # browsers leave 'unsafe-inline' out then, and it is there for old ones
        loose = [each for each in loose if each != "'unsafe-inline'"]
    if loose:
        yield Message(
            id="web.W072",
            level=Level.WARNING,
            text=f"SECURITY.content_security_policy lets scripts run from anywhere"
            f" ({', '.join(loose)}): it protects against nothing",
            hint="write \"script-src 'self'\", and move scripts into files",
            where=project.settings.where("SECURITY"),
        )
