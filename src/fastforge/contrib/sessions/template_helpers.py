"""What templates have of sessions: the token of a form."""

from __future__ import annotations

from html import escape

from ...web.template_helpers import template_function
from .csrf import FIELD
from .visit import visit_now

__all__ = ["csrf_input", "csrf_token"]


class _Html(str):
    """A text that templates take as HTML, as they do any value with this method."""

    __slots__ = ()

    def __html__(self) -> str:
        return str(self)


@template_function
def csrf_token() -> str:
    """Return a token that proves that a request comes from a page of ours: `{{ csrf_token() }}`.

    Browsers of today need none: they say themselves which page has sent a request. It is for those
    that do not, and for pages that tell nobody where they are.

    ```python
    @router.get("/token")
    async def token() -> str:
        return csrf_token()         # sent back as X-CSRF-Token
    ```

    Surprises: after a login or logout an older one is worth nothing.

    Raises:
        NoSession: No request is answered here.
    """
    return visit_now().csrf_token()


@template_function
def csrf_input() -> str:
    """Return the hidden field of a form that has the token: `{{ csrf_input() }}`.

    Raises:
        NoSession: As `csrf_token`.
    """
    return _Html(f'<input type="hidden" name="{FIELD}" value="{escape(csrf_token())}">')
