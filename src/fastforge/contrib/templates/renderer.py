"""Renderer: fills templates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse

from ..._utils import failing_line
from ...web.current import request_scope
from .engine import is_text
from .errors import TemplateError, endless, missing, unfilled, unreadable
from .jinja import jinja2

__all__ = ["Renderer"]


class Renderer:
    """Fills the templates of a project; handlers, tasks and commands get it as `Render`.

    ```python
    @router.get("/")
    async def index(render: Render, db: DbSession) -> HTMLResponse:
        return render("blog/index.html", {"posts": await newest(db)})

    @task
    async def welcome(name: str, *, render: Render = injected) -> None:
        body = render.text("blog/welcome.txt", {"name": name})
    ```

    Surprises: values are escaped in every template but those that end in `.txt`, so that no value
    becomes HTML by mistake. Wherever a request is answered, templates know it as `request`.
    """

    def __init__(self, engine: jinja2.Environment) -> None:
        self.engine = engine

    def __call__(
        self,
        name: str,
        values: Mapping[str, Any] | None = None,
        /,
        *,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> HTMLResponse:
        """Return a filled template as the answer to a request; plain text for a `.txt`.

        Raises:
            TemplateError: As `text`.
        """
        return HTMLResponse(
            self.text(name, values),
            status_code,
            headers=dict(headers or {}),
            media_type="text/plain" if is_text(name) else "text/html",
        )

    def text(self, name: str, values: Mapping[str, Any] | None = None, /) -> str:
        """Return a filled template.

        Args:
            name: Its path below a `templates/` folder, with slashes: `blog/index.html`.
            values: What it may print, by name.

        Raises:
            TemplateError: There is no such template, it cannot be read, it asks for a name that
                was not given, for the address of a route that there is not, or includes itself.
        """
        given = _with_request(values or {})
        try:
            return self.engine.get_template(name).render(given)
        except jinja2.TemplateNotFound as error:
            raise missing(error, self.engine) from error
        except jinja2.TemplateSyntaxError as error:
            raise unreadable(error, self.engine) from error
        except jinja2.UndefinedError as error:
            raise unfilled(error, {**self.engine.globals, **given}) from error
        except RecursionError as error:
            raise endless(error, name) from error
        except TemplateError as error:  # of a function that the template calls
            error.where = error.where or failing_line(error)
            raise


def _with_request(values: Mapping[str, Any]) -> dict[str, Any]:
    scope = request_scope.get()
    return dict(values) if scope is None else {"request": Request(scope), **values}
