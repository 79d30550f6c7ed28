"""Lines of a file are quoted with their colours, and without what they keep secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastforge.web.errorpage.source import LONGEST_LINE, lines_around


def quoted(tmp_path: Path, text: str, *, line: int = 1, name: str = "shop.py") -> list[str]:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    return [line.text for line in lines_around(str(file), line, around=1)]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('password = "hunter2"', 'password = "***"'),
        ("API_KEY: str = 'hunter2'", 'API_KEY: str = "***"'),
        ('connect(user="ada", password="hunter2")', 'connect(user="ada", password="***")'),
        ('config["secret"] = "hunter2"', 'config["secret"] = "***"'),
        ('{"token": "hunter2"}', '{"token": "***"}'),
        ('url = "postgresql://shop:hunter2@db/shop"', 'url = "postgresql://shop:***@db/shop"'),
        ("# the password is password=hunter2", "# the password is password=***"),
        ('SECRET_KEY = env.secret("SECRET_KEY")', 'SECRET_KEY = env.secret("SECRET_KEY")'),
        ('def find(token: str = "") -> None: ...', 'def find(token: str = "") -> None: ...'),
    ],
)
def test_texts_and_comments_are_masked_and_code_is_not(
    tmp_path: Path, line: str, shown: str
) -> None:
    assert quoted(tmp_path, f"{line}\n") == [shown]


def test_what_is_no_python_is_masked_as_a_text(tmp_path: Path) -> None:
    text = "<p>password=hunter2</p>\n"
    assert "hunter2" not in "".join(quoted(tmp_path, text, name="page.html"))


@pytest.mark.parametrize("name", [".env", "secrets", "shop.toml", "key.pem"])
def test_of_a_file_that_is_no_source_nothing_is_quoted(tmp_path: Path, name: str) -> None:
    assert quoted(tmp_path, "SECRET_KEY=hunter2\n", name=name) == []


def test_a_line_that_there_is_not_or_a_file_that_is_gone_is_nothing(tmp_path: Path) -> None:
    assert quoted(tmp_path, "one\n", line=7) == []
    assert lines_around(str(tmp_path / "gone.py"), 1) == ()


def test_colours_are_found_also_where_the_source_does_not_end(tmp_path: Path) -> None:
    file = tmp_path / "half.py"
    file.write_text('if x:  # why\n    y = ("a", 1\n', encoding="utf-8")
    first, second = lines_around(str(file), 1)
    assert [(first.text[each.start : each.end], each.kind) for each in first.spans] == [
        ("if", "k"),
        ("# why", "c"),
    ]
    assert [each.kind for each in second.spans] == ["s", "n"]


def test_a_text_over_several_lines_has_its_colour_on_each(tmp_path: Path) -> None:
    file = tmp_path / "text.py"
    file.write_text('x = """a\nb\nc"""\n', encoding="utf-8")
    assert [
        [each.kind for each in line.spans] for line in lines_around(str(file), 2, around=1)
    ] == [
        ["s"],
        ["s"],
        ["s"],
    ]


def test_a_long_line_is_cut(tmp_path: Path) -> None:
    (line,) = quoted(tmp_path, f"x = {'1' * 5000}\n")
    assert len(line) == LONGEST_LINE
