"""The setting ACCOUNTS."""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator

from .....conf import Section

__all__ = ["TOKEN", "Accounts"]

TOKEN: Final = "{token}"


def _page_of_ours(url: str) -> str:
    if not url:
        return url
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ValueError(
            "write the whole address of a page, as 'https://shop.example/reset#{token}'"
        )
    if url.count(TOKEN) != 1 or TOKEN in parts.netloc:
        raise ValueError("write {token} once, where the page reads it: 'https://.../reset#{token}'")
    return url


Page = Annotated[str, AfterValidator(_page_of_ours)]


class Accounts(Section, setting="ACCOUNTS"):
    """Where the links in mails about accounts lead, and what they call the site.

    ```python
    ACCOUNTS = Accounts(
        site_name="Shop",
        reset_url="https://shop.example.org/reset#{token}",
        verification_url="https://shop.example.org/verify#{token}",
        registration_url="https://shop.example.org/welcome#{token}",
    )
    ```

    The host of a request is never part of a link: whoever sends the request chooses it. What
    stands behind a `#` reaches no server, no log and no next page.

    Attributes:
        site_name: What mails call the site.
        reset_url: The page that asks for a new password; without one the mail has the token alone.
        verification_url: The page that verifies an address.
        registration_url: The page that asks for the password of a new account.
    """

    site_name: str = ""
    reset_url: Page = ""
    verification_url: Page = ""
    registration_url: Page = ""
