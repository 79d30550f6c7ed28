"""The page. What it shows it reads from the API, as any other client does."""

from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from fastforge.contrib.templates import Render

router = APIRouter(default_response_class=HTMLResponse, include_in_schema=False)

POLICY: Final = (
    "default-src 'self'; img-src 'self' https: data:; base-uri 'none'; form-action 'self'"
)
"""No script and no style but our own; pictures of people may be anywhere."""


@router.get("/")
async def index(render: Render) -> HTMLResponse:
    """Show the shell; its modules do the rest."""
    page = render("pages/index.html")
    page.headers["content-security-policy"] = POLICY
    return page
