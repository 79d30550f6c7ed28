"""The page. What it shows it reads from the API, as any other client does."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from fastforge.contrib.templates import Render

router = APIRouter(default_response_class=HTMLResponse, include_in_schema=False)


@router.get("/")
async def index(render: Render) -> HTMLResponse:
    """Show the shell; its modules do the rest."""
    return render("pages/index.html")
