"""Document: what apps say in the OpenAPI document that FastAPI cannot know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from fastapi import FastAPI

from ..components.functions import refuse_unless_plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..conf import Settings

__all__ = ["OpenApiPart", "complete_document", "openapi_part"]

Write: TypeAlias = "Callable[[dict[str, Any], Settings], None]"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenApiPart:
    """A part of the OpenAPI document.

    Args:
        name: Unique in the project, behind the app's label; the function's name.
        write: Changes the document, by what the settings say.
    """

    name: str
    write: Write


def openapi_part(function: Write, /) -> OpenApiPart:
    """Declare a part of the OpenAPI document, in an app's `openapi.py`.

    ```python
    @openapi_part
    def servers(document: dict[str, Any], settings: Settings) -> None:
        document["servers"] = [{"url": "https://api.example.org"}]
    ```

    It is called with each document that is made: the first time that somebody asks for it.

    Args:
        function: A plain function; it changes the document that it is given.

    Raises:
        ComponentError: It decorates no plain function.
    """
    refuse_unless_plain(
        function,
        decorator="@openapi_part",
        code="web.E071",
        hint="write `def`, with the document and the settings",
    )
    return OpenApiPart(name=function.__name__, write=function)


def complete_document(
    app: FastAPI, parts: Callable[[], Iterable[OpenApiPart]], settings: Settings
) -> None:
    """Let parts be written into the OpenAPI document of an application.

    Surprises: `app.openapi` is replaced, and the one that was there is asked first.

    Args:
        app: The application.
        parts: Gives them when the document is wanted, and not before.
        settings: What they are told.
    """
    generate = app.openapi
    completed: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        nonlocal completed
        document = generate()
        if document is not completed:  # FastAPI makes it again when routes have been added
            for part in parts():
                part.write(document, settings)
            completed = document
        return document

    app.openapi = openapi  # type: ignore[method-assign]
