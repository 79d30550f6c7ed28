"""Every block of code in the documentation is run, or says why it is not."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.processes import fetch, free_port, run, start, wait_until

from .markdown import OUTPUT, Block, Page, pages
from .scenario import CURL, RUN, Failure, matches, play, steps

# What stands for a service on a page whose first line asks for it: "with postgres".
SERVICES = {
    "postgres": ("postgresql+asyncpg://shop:secret@db.internal/shop", "postgres_url"),
    "redis": ("redis://redis.internal:6379/0", "redis_url"),
}
# What starts two servers and a worker is typed by test_tutorial.py, among the long ones.
ENDS_AT = {"docs/tutorial.md": "Two servers and a worker"}


def named(page: Page) -> str:
    return page.name


def runs(page: Page) -> bool:
    return any(block.title or block.language in RUN for block in page.blocks() if not block.reason)


@pytest.mark.parametrize("page", [page for page in pages() if runs(page)], ids=named)
def test_the_page_does_what_it_says(
    page: Page, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    _, _, wanted = page.marker.partition(", with ")
    services = [SERVICES[each] for each in wanted.split(" and ") if each]
    addresses = {written: request.getfixturevalue(name) for written, name in services}
    try:
        play(page, tmp_path, addresses, until=ENDS_AT.get(page.name, ""))
    except Failure as failure:
        pytest.fail(str(failure), pytrace=False)


@pytest.mark.parametrize("page", pages(), ids=named)
def test_a_block_that_is_not_run_says_why(page: Page) -> None:
    silent = [
        page.place(block.line)
        for block in page.blocks()
        if not block.title and block.language not in RUN
        if not block.reason and block.marker != OUTPUT
    ]
    assert silent == []


@pytest.mark.parametrize("page", pages(), ids=named)
def test_every_reason_stands_above_a_block(page: Page) -> None:
    reasons = [line for _, line in page.prose() if line.startswith("<!-- not run")]
    assert len(reasons) == sum(bool(block.reason) for block in page.blocks())


@pytest.mark.parametrize("page", pages(), ids=named)
def test_no_page_names_what_is_not_for_readers(page: Page) -> None:
    """The plain name on the package index belongs to somebody else; other names are nobody's."""
    text = page.path.read_text(encoding="utf-8")
    for forbidden in ("pip install fastforge\n", "install fastforge[", "/home/", "/root/", "/tmp/"):
        assert forbidden not in text


# --- the runner itself ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expected", "output", "fits"),
    [
        (["done"], "done\n", True),
        (["done"], "done\nand more\n", False),
        (["took ... s"], "took 0.12 s\n", True),
        (["first", "...", "last"], "first\na\nb\nlast\n", True),
        (["first", "...", "last"], "first\nlast\n", True),
        (["...", "last"], "last\n", True),
        (["a [b] (c)"], "a [b] (c)\n", True),
        (["a [b] (c)"], "a b c\n", False),
        (["one"], "one   \n\n", True),
        (["a  b"], "a       b\n", True),
        (["a  b"], "a b\n", False),
    ],
)
def test_three_dots_stand_for_anything(expected: list[str], output: str, fits: bool) -> None:
    assert matches(tuple(expected), output) is fits


def page_of(folder: Path, text: str) -> Page:
    path = folder / "page.md"
    path.write_text(text)
    return Page(path)


def test_a_command_that_fails_fails_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.docs.markdown.ROOT", tmp_path)
    page = page_of(tmp_path, "```console\n$ echo before\n$ false\n```\n")
    with pytest.raises(Failure, match=r"^page.md:3: false\nexit code 1"):
        play(page, tmp_path)


def test_a_page_may_show_the_exit_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.docs.markdown.ROOT", tmp_path)
    play(page_of(tmp_path, "```console\n$ exit 3\n$ echo $?\n3\n```\n"), tmp_path)
    with pytest.raises(Failure, match="the page says"):
        play(page_of(tmp_path, "```console\n$ exit 3\n$ echo $?\n0\n```\n"), tmp_path)


def test_other_output_fails_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.docs.markdown.ROOT", tmp_path)
    page = page_of(tmp_path, "```console\n$ echo one\ntwo\n```\n")
    with pytest.raises(Failure, match="it wrote:\none"):
        play(page, tmp_path)


def test_files_are_there_when_a_script_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.docs.markdown.ROOT", tmp_path)
    page = page_of(
        tmp_path,
        '```python title="shop/prices.py"\nPRICE = 7\n```\n\n'
        "```python\nfrom shop.prices import PRICE\nprint(PRICE)\n```\n\n"
        "<!-- output -->\n```text\n7\n```\n",
    )
    play(page, tmp_path)
    assert (tmp_path / "shop" / "prices.py").exists()


def test_a_background_command_is_ended_with_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.docs.markdown.ROOT", tmp_path)
    program = "python -c 'import os, time; print(os.getpid(), flush=True); time.sleep(600)'"
    play(
        page_of(
            tmp_path, f"```console\n$ {program} > pid &\n$ until [ -s pid ]; do :; done\n```\n"
        ),
        tmp_path,
    )
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


@pytest.mark.parametrize(
    "arguments", [("-s", "-i"), ("-s", "-X", "POST", "-H", "a: b", "-d", "{}")]
)
def test_pages_run_without_curl(arguments: tuple[str, ...], tmp_path: Path) -> None:
    """What stands in for it shows the answer of a server, also a refusal, and its absence."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/page.md"
    (tmp_path / "page.md").write_text("hello")
    assert run([sys.executable, CURL, *arguments, url]).returncode == 7
    with start(
        [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)], cwd=tmp_path
    ):
        wait_until(lambda: fetch(url))
        answer = run([sys.executable, CURL, *arguments, url])
    assert answer.returncode == 0
    assert ("hello" if "-i" in arguments else "501") in answer.stdout
    assert answer.stdout.startswith("HTTP/1.1 200 OK") is ("-i" in arguments)


def test_a_marker_belongs_to_the_block_below_it(tmp_path: Path) -> None:
    page = page_of(
        tmp_path,
        "<!-- not run: first -->\n```text\na\n```\n\nProse.\n\n```text\nb\n```\n",
    )
    assert [block.reason for block in page.blocks()] == ["first", ""]


def test_a_command_goes_on_after_a_backslash() -> None:
    block = Block(
        line=1, language="console", title="", marker="", text="$ echo one \\\n    two\none two\n"
    )
    assert [(step.command, step.expected) for step in steps(block)] == [
        ("echo one two", ("one two",))
    ]
