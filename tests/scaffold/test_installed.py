"""INSTALLED_APPS gets one entry more, where it is written, and everything else stays as it was."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Mapping
from pathlib import Path
from random import Random

import pytest

from fastforge.conf import App
from fastforge.scaffold.installed import install, install_at_end

SETTINGS = Path("shop/settings.py")
BASE = Path("shop/base.py")
ENTRY = App("shop.blog", prefix="/blog")


def edited(source: str, *, prefix: str = "/blog", width: int = 88) -> str | None:
    change = install({SETTINGS: source}, "shop.blog", prefix, width=width)
    if change is None:
        return None
    assert (change.path, change.before) == (SETTINGS, source)
    return change.after


def apps(source: str) -> list[object]:
    """What INSTALLED_APPS is after the settings have run."""
    names: dict[str, object] = {}
    exec(compile(source, "settings.py", "exec"), names)
    found = names["INSTALLED_APPS"]
    assert isinstance(found, (list, tuple))
    return list(found)


def text(source: str) -> str:
    return textwrap.dedent(source).lstrip("\n")


# Each as it is, and as it is afterwards, below an import of App that is there already.
FORMS = {
    "one line": ('INSTALLED_APPS = ["a", "b"]', 'INSTALLED_APPS = ["a", "b", {new}]'),
    "one line with a comma": ('INSTALLED_APPS = ["a", ]', 'INSTALLED_APPS = ["a", {new}, ]'),
    "empty": ("INSTALLED_APPS = []", "INSTALLED_APPS = [{new}]"),
    "annotated": (
        'INSTALLED_APPS: list[str | App] = ["a"]',
        'INSTALLED_APPS: list[str | App] = ["a", {new}]',
    ),
    "a tuple": ('INSTALLED_APPS = ("a", "b")', 'INSTALLED_APPS = ("a", "b", {new})'),
    "a tuple of one": ('INSTALLED_APPS = ("a",)', 'INSTALLED_APPS = ("a", {new},)'),
    "an empty tuple": ("INSTALLED_APPS = ()", "INSTALLED_APPS = ({new},)"),
    "with a comment": (
        'INSTALLED_APPS = ["a"]  # all',
        'INSTALLED_APPS = ["a", {new}]  # all',
    ),
    "brackets in strings and parentheses": (
        'INSTALLED_APPS = [("a"), "b".strip("]")]; X = ["]"]',
        'INSTALLED_APPS = [("a"), "b".strip("]"), {new}]; X = ["]"]',
    ),
    "letters of more than a byte": (
        'Ä = "ä"; INSTALLED_APPS = ["äöü"]',
        'Ä = "ä"; INSTALLED_APPS = ["äöü", {new}]',
    ),
    "several lines": (
        """
        INSTALLED_APPS = [
            "a",
            App("b", prefix="/b"),  # the shop's own
        ]
        """,
        """
        INSTALLED_APPS = [
            "a",
            App("b", prefix="/b"),  # the shop's own
            {new},
        ]
        """,
    ),
    "several lines without a comma at the end": (
        """
        INSTALLED_APPS = [
          "a",
          "b"  # no comma
          # and a comment
        ]
        """,
        """
        INSTALLED_APPS = [
          "a",
          "b",  # no comma
          # and a comment
          {new},
        ]
        """,
    ),
    "several lines with nothing in them": (
        """
        INSTALLED_APPS = [
            # "a",
        ]
        """,
        """
        INSTALLED_APPS = [
            # "a",
            {new},
        ]
        """,
    ),
    "hanging": (
        """
        INSTALLED_APPS = ["a",
                          "b"]
        """,
        """
        INSTALLED_APPS = ["a",
                          "b",
                          {new}]
        """,
    ),
    "an entry over several lines": (
        """
        INSTALLED_APPS = [App(
            "b",
        )]
        """,
        """
        INSTALLED_APPS = [App(
            "b",
        ), {new}]
        """,
    ),
    "strings that are put together": (
        """
        INSTALLED_APPS = [
            "a"
            "b",
        ]
        """,
        """
        INSTALLED_APPS = [
            "a"
            "b",
            {new},
        ]
        """,
    ),
    "two lists": (
        'INSTALLED_APPS = ["a"] + [\n    "b",\n]',
        'INSTALLED_APPS = ["a"] + [\n    "b",\n    {new},\n]',
    ),
    "others taken in": (
        'OTHERS = ["a"]\nINSTALLED_APPS = [*OTHERS, "b"]',
        'OTHERS = ["a"]\nINSTALLED_APPS = [*OTHERS, "b", {new}]',
    ),
    "the first list, that others build upon": (
        'INSTALLED_APPS = ["a"]\nINSTALLED_APPS += ["b"]\nINSTALLED_APPS = [*INSTALLED_APPS, "c"]',
        'INSTALLED_APPS = ["a", {new}]\nINSTALLED_APPS += ["b"]\n'
        'INSTALLED_APPS = [*INSTALLED_APPS, "c"]',
    ),
    "the last that is made anew": (
        'INSTALLED_APPS = ["a"]\nINSTALLED_APPS = ["b"]',
        'INSTALLED_APPS = ["a"]\nINSTALLED_APPS = ["b", {new}]',
    ),
    "a list added to a computed one": (
        'INSTALLED_APPS = sorted(["a"])\nINSTALLED_APPS += ["b"]',
        'INSTALLED_APPS = sorted(["a"])\nINSTALLED_APPS += ["b", {new}]',
    ),
    "one that a condition adds to": (
        'INSTALLED_APPS = ["a"]\nif 1:\n    INSTALLED_APPS += ["b"]',
        'INSTALLED_APPS = ["a", {new}]\nif 1:\n    INSTALLED_APPS += ["b"]',
    ),
}
IMPORT = "from fastforge.conf import App\n\n"


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_an_entry_is_added(form: tuple[str, str]) -> None:
    before, after = (IMPORT + text(each) for each in form)
    result = edited(before)
    assert result == after.replace("{new}", 'App("shop.blog", prefix="/blog")')
    assert sorted(map(str, apps(result))) == sorted(map(str, [*apps(before), ENTRY]))


def test_ends_of_lines_and_quotes_are_those_of_the_file() -> None:
    source = "from fastforge.conf import App\r\nINSTALLED_APPS = [\r\n    'a'\r\n]\r\n"
    assert edited(source) == (
        "from fastforge.conf import App\r\n"
        "INSTALLED_APPS = [\r\n    'a',\r\n    App('shop.blog', prefix='/blog'),\r\n]\r\n"
    )


def test_a_line_that_becomes_too_long_is_broken() -> None:
    source = f'{IMPORT}INSTALLED_APPS = ["fastforge.contrib.db", "fastforge.contrib.jobs"]  # all\n'
    assert edited(source, width=100) == IMPORT + text(
        """
        INSTALLED_APPS = [
            "fastforge.contrib.db",
            "fastforge.contrib.jobs",
            App("shop.blog", prefix="/blog"),
        ]  # all
        """
    )


def test_an_app_without_routes_is_a_name() -> None:
    assert edited("INSTALLED_APPS = []\n", prefix="") == 'INSTALLED_APPS = ["shop.blog"]\n'


IMPORTS = {
    "beside another name": (
        "from fastforge.conf import env\n",
        "from fastforge.conf import App, env\n",
    ),
    "between names": (
        "from fastforge.conf import (\n    Section,\n    env,\n)\n",
        "from fastforge.conf import App, Section, env\n",
    ),
    "beside a comment": (
        "from fastforge.conf import env  # noqa\n",
        "from fastforge.conf import env  # noqa\nfrom fastforge.conf import App\n",
    ),
    "in its group": (
        "from pathlib import Path\n\nfrom fastforge.contrib.db import Database\n",
        "from pathlib import Path\n\n"
        "from fastforge.conf import App\nfrom fastforge.contrib.db import Database\n",
    ),
    "after a group": (
        "from pathlib import Path\n\nfrom .base import *\n",
        "from pathlib import Path\n\nfrom fastforge.conf import App\n\nfrom .base import *\n",
    ),
    "below a docstring": ('"""Shop."""\n', '"""Shop."""\n\nfrom fastforge.conf import App\n'),
    "alone": ("", "from fastforge.conf import App\n\n"),
    "there, from elsewhere": ("from fastforge import App\n", "from fastforge import App\n"),
}


@pytest.mark.parametrize("case", IMPORTS.values(), ids=IMPORTS)
def test_app_is_imported_when_it_is_not(case: tuple[str, str]) -> None:
    before, after = case
    rest = "\nX = 1\nINSTALLED_APPS = [{new}]\n" if before else "INSTALLED_APPS = [{new}]\n"
    result = edited(before + rest.replace("{new}", ""))
    assert result == after + rest.replace("{new}", 'App("shop.blog", prefix="/blog")')


def test_app_keeps_the_name_that_the_file_gives_it() -> None:
    source = "from fastforge.conf import App as Installed\nINSTALLED_APPS = []\n"
    assert edited(source) == source.replace("[]", '[Installed("shop.blog", prefix="/blog")]')


@pytest.mark.parametrize(
    "source",
    [
        "INSTALLED_APPS = sorted(['a'])\n",
        "INSTALLED_APPS = [name for name in ['a']]\n",
        "A = ['a']\nB = ['b']\nINSTALLED_APPS = A + B\n",
        "INSTALLED_APPS = 'a', 'b'\n",
        "INSTALLED_APPS = ('a'), ('b')\n",
        "if True:\n    INSTALLED_APPS = ['a']\n",
        "INSTALLED_APPS = ['a']\nINSTALLED_APPS = sorted(['c'])\n",
        "X = 1\n",
        "INSTALLED_APPS = [\n",
    ],
)
def test_what_is_not_written_out_as_a_list_is_left_alone(source: str) -> None:
    assert edited(source) is None


@pytest.mark.parametrize(
    ("base", "settings", "where"),
    [
        ("INSTALLED_APPS = ['a']\n", "from .base import *\n", BASE),
        ("INSTALLED_APPS = ['a']\n", "from .base import *\nINSTALLED_APPS += ['b']\n", BASE),
        ("INSTALLED_APPS = ['a']\n", "from .base import *\nINSTALLED_APPS = ['b']\n", SETTINGS),
        ("INSTALLED_APPS = f()\n", "from .base import *\nINSTALLED_APPS += ['b']\n", SETTINGS),
        ("INSTALLED_APPS = f()\n", "from .base import *\n", None),
    ],
)
def test_the_file_that_holds_the_list_is_edited(
    base: str, settings: str, where: Path | None
) -> None:
    sources: Mapping[Path, str] = {BASE: base, SETTINGS: settings}
    change = install(sources, "shop.blog", "/blog", width=88)
    assert (change and change.path) == where


def test_a_statement_at_the_end_says_the_same() -> None:
    source = "A = ['a']\nINSTALLED_APPS = sorted(A)\n"
    assert apps(install_at_end(source, "shop.blog", "/blog")) == ["a", ENTRY]
    ast.parse(install_at_end("INSTALLED_APPS = []", "shop.blog", ""))


SPACES = ("", " ", "\n", "\n    ", "  # c]\n    ", "\n\n  # (x\n")
ENTRIES = ('"a"', "'b'", 'App("c", prefix="/c")', 'App(\n  "d",\n)', '("e")', '"f" "g"', '"ä€]"')
BEFORE = ("INSTALLED_APPS = ", "INSTALLED_APPS: object = ", "x = [1]; INSTALLED_APPS=")
AFTER = ("\n", "  # end\n", "; Y = [2]\n", "")


def written(random: Random) -> str:
    """A list in any layout that Python takes."""
    opening, closing = random.choice(["[]", "()"])
    count = random.randint(0, 4)
    body = "".join(
        random.choice(SPACES)
        + random.choice(ENTRIES)
        + random.choice(["", " ", "\n "])
        + ("," if number < count or count == 1 else random.choice(["", ","]))
        for number in range(1, count + 1)
    )
    text = random.choice(BEFORE) + opening + body + random.choice(SPACES) + closing
    return random.choice(["", IMPORT]) + text + random.choice(AFTER)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_the_layout_one_entry_is_added_and_no_comment_lost(seed: int) -> None:
    random = Random(seed)
    for _ in range(150):
        source = written(random)
        if "App(" in source:
            source = IMPORT + source.removeprefix(IMPORT)
        result = edited(source, width=random.choice([40, 100]))
        assert result is not None, source
        assert apps(result) == [*apps(source), ENTRY], source
        for comment in ("# c]", "# (x", "# end"):
            assert result.count(comment) == source.count(comment), source
