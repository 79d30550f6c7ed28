"""Generated statements are added to a file of somebody's without touching what it says."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from fastforge.exceptions import CommandError
from fastforge.scaffold.merging import merged

FILE = Path("shop/blog/models.py")
GENERATED = '''
"""Generated."""

import datetime as dt
from typing import Annotated

from sqlalchemy import Text
from sqlalchemy.orm import Mapped

Limit = Annotated[int, 100]
Short = Annotated[str, 200]


@final
class Tag(Model):
    """A tag."""
'''


def text(source: str) -> str:
    return textwrap.dedent(source).lstrip("\n")


def test_imports_find_their_places_and_statements_come_last() -> None:
    existing = text(
        '''
        """Mine."""

        from __future__ import annotations

        from sqlalchemy import (
            JSON,
            Text,  # long
        )

        from .base import Model  # ours

        Short = Annotated[str, 200]


        class Post(Model):
            x = 1  # no end of line'''
    )
    assert merged(FILE, existing, text(GENERATED), width=88) == text(
        '''
        """Mine."""

        from __future__ import annotations

        import datetime as dt
        from typing import Annotated

        from sqlalchemy import (
            JSON,
            Text,  # long
        )
        from sqlalchemy.orm import Mapped

        from .base import Model  # ours

        Short = Annotated[str, 200]


        class Post(Model):
            x = 1  # no end of line


        Limit = Annotated[int, 100]


        @final
        class Tag(Model):
            """A tag."""
        '''
    )


def test_an_empty_file_becomes_the_generated_one() -> None:
    result = merged(FILE, '"""Mine."""\n', text(GENERATED), width=88)
    assert result == text(GENERATED).replace("Generated", "Mine").replace(
        "Mapped\n\nLimit", "Mapped\n\n\nLimit"
    )


def test_ends_of_lines_stay_what_they_are() -> None:
    existing = text('"""Mine."""\n\nfrom sqlalchemy import JSON\n').replace("\n", "\r\n")
    result = merged(FILE, existing, text(GENERATED), width=88)
    assert "from sqlalchemy import JSON, Text\r\n" in result
    assert result.count("\n") == result.count("\r\n")


@pytest.mark.parametrize(
    ("existing", "line"),
    [
        ("x = 1\nclass Tag: ...\n", "shop/blog/models.py:2: Tag means something else here"),
        ("from .tags import Tag\n", "shop/blog/models.py:1: Tag means something else here"),
        ("Text = str\n", "shop/blog/models.py:1: Text means something else here"),
        ("from .types import Text\n", "shop/blog/models.py:1: Text means something else here"),
        ("Short = str\n", "shop/blog/models.py:1: Short means something else here"),
        ("x = (\n", "shop/blog/models.py:1: this is not valid Python: '(' was never closed"),
    ],
)
def test_what_cannot_be_added_to_is_one_line(existing: str, line: str) -> None:
    with pytest.raises(CommandError) as caught:
        merged(FILE, existing, text(GENERATED), width=88)
    assert str(caught.value).startswith(f"[scaffold.E015] {line}")
