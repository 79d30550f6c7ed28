"""The lines of a request are kept, and nobody else loses one for it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from fastforge.observability.context import request_id
from fastforge.web.errorpage.lines import MOST_SHOWN, RequestLines

logger = logging.getLogger("shop.lines")


@contextmanager
def asked(name: str) -> Iterator[None]:
    token = request_id.set(name)
    try:
        yield
    finally:
        request_id.reset(token)


def test_each_request_has_its_own_lines_with_what_was_added_and_no_secret() -> None:
    lines = RequestLines()
    with lines.listening():
        logger.warning("of nobody")
        with asked("one"):
            logger.warning("paid %d", 7, extra={"order": 7, "token": "hunter2"})
        with asked("other"):
            logger.warning("slow query: 7 ms", extra={"event": "slow_query", "rows": 7})
    ((_, level, name, text),) = lines.of("one")
    assert (level, name, text) == ("warning", "shop.lines", "paid 7 order=7 token='***'")
    assert lines.of("nobody") == ()
    ((*_, text),) = lines.of("other")
    assert text == "slow query: 7 ms"


def test_only_the_latest_lines_are_shown() -> None:
    lines = RequestLines()
    with lines.listening(), asked("one"):
        for number in range(MOST_SHOWN + 5):
            logger.warning("line %d", number)
    texts = [text for *_, text in lines.of("one")]
    assert (len(texts), texts[0], texts[-1]) == (MOST_SHOWN, "line 5", f"line {MOST_SHOWN + 4}")


def test_a_line_whose_arguments_do_not_fit_is_kept_as_it_was_written() -> None:
    lines = RequestLines()
    with asked("one"):
        lines.emit(logger.makeRecord("shop", logging.INFO, "", 0, "%d", ("x",), None))
    assert lines.of("one")[0][3] == "%d"


def test_where_nobody_has_set_up_logging_warnings_are_written_as_ever(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.root, "handlers", [])
    last = logging.lastResort
    assert last is not None
    with RequestLines().listening():
        logger.warning("heard")
        logger.info("not heard")
    assert capsys.readouterr().err == "heard\n"
