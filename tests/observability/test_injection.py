"""Whatever somebody sends stands in one line, which neither steers a terminal nor reads as another.

In each field of each kind of line: an event, its fields and their names, a logger, a request.
"""

from __future__ import annotations

import io
import json
import logging
import unicodedata
from collections.abc import Callable
from typing import Any

import pytest
import structlog

from fastforge.observability.lines import LineBuffer
from fastforge.observability.logging.configuration import Configuration
from fastforge.observability.logging.output import process_lines
from fastforge.observability.logging.process import logging_entered, stream_of
from tests.middleware.asgi import access_log_to

FORGED = '{"level":"critical","event":"forged"}'
HOSTILE = {
    "a new line": f"a\n{FORGED}\n",
    "a return": f"a\r{FORGED}\r\n",
    "other ends of lines": f"a\v{FORGED}\f\x1c\x1d\x1e\x85{FORGED}\u2028{FORGED}\u2029",
    "an escape": "a\x1b[2J\x1b]0;title\x07\x1b[1A\x1b[31m",
    "one of eight bits": "a\x9b2J\x9d0;title\x9c\x90q",
    "a turned direction": "a\u202ecba\u202c \u2066b\u2069 \u200f \u061c",
    "what is not seen": "a\u200b\u2060\ufeff\xad\U000e0041\x00\x7f\b\b",
    "half a pair": "a\ud800 \udfff \udc80",
    "quotes": '"}\n{"level":"critical"} \\" \\u001b[2J',
}


@pytest.fixture(params=HOSTILE)
def hostile(request: pytest.FixtureRequest) -> str:
    return HOSTILE[request.param]


@pytest.fixture(params=["json", "console"])
def shape(request: pytest.FixtureRequest) -> str:
    shape: str = request.param
    return shape


def written(shape: Any, tell: Callable[[Any], object]) -> str:
    """What a stream has written."""
    sink = io.StringIO()
    buffer = LineBuffer(sink)
    tell(stream_of(Configuration(role="web", shape=shape), buffer))
    buffer.close()
    return sink.getvalue()


def is_harmless(text: str, shape: str) -> bool:
    """Whether there is nothing in it that a terminal obeys, or that is not seen."""
    plain = text.replace("\x1b[0m", "")  # our own colours, of which there are none here
    categories = {unicodedata.category(each) for each in plain.replace("\n", "")}
    assert categories.isdisjoint({"Cc", "Cf", "Zl", "Zp", "Cs", "Co"}), ascii(text)
    lines = text.removesuffix("\n").split("\n")
    if shape == "json":
        return [json.loads(line)["event"] for line in lines] != [] and len(lines) == 1
    return all(line[:1].isspace() for line in lines[1:])


def failed(text: str) -> BaseException:
    """An exception that has a text in everything that can have one."""
    inner = type("Inner", (ValueError,), {})(text)
    inner.__class__.__qualname__ = text.encode("ascii", "replace").decode()
    inner.add_note(text)
    try:
        raise ExceptionGroup(text or "-", [inner]) from inner
    except ExceptionGroup as error:
        return error


def test_an_event_and_its_fields(hostile: str, shape: str) -> None:
    fields = {
        "a": hostile,
        hostile: "b",
        "c": [hostile, {hostile: hostile}],
        "d": hostile.encode("utf-8", "surrogatepass"),
    }
    text = written(shape, lambda stream: stream.write("info", hostile, "shop", fields))
    assert is_harmless(text, shape) and "shop" in text


def test_a_level_a_logger_and_what_is_always_told(hostile: str, shape: str) -> None:
    text = written(shape, lambda stream: stream.write(hostile, "e", hostile, {"a": 1}))
    assert is_harmless(text, shape)


def test_an_exception(hostile: str, shape: str) -> None:
    error = failed(hostile)
    text = written(shape, lambda stream: stream.write("error", "e", "shop", error=error))
    assert is_harmless(text, shape) and "failed" in text


def test_a_traceback_that_is_a_text(hostile: str, shape: str) -> None:
    fields = {"traceback": hostile, "stack": hostile}
    text = written(shape, lambda stream: stream.write("error", "e", "shop", fields))
    assert is_harmless(text, shape)


@pytest.mark.parametrize("field", ["request_id", "method", "path", "route", "client"])
def test_a_request(hostile: str, shape: str, field: str) -> None:
    sink = io.StringIO()
    log = access_log_to(LineBuffer(sink), shape)  # type: ignore[arg-type]
    told: dict[str, Any] = {
        "request_id": "1",
        "method": "GET",
        "path": "/",
        "route": "/",
        "status_code": 200,
        "duration_s": 0.001,
        "client": "192.0.2.1",
    }
    log.write(**{**told, field: hostile})
    log.write(**{**told, field: hostile, "status_code": 500}, error=failed(hostile))
    log.close()
    first, _, second = sink.getvalue().partition("\n")
    assert is_harmless(first + "\n", shape) and is_harmless(second, shape)


def test_what_logging_and_structlog_are_given(
    hostile: str, capsys: pytest.CaptureFixture[str], shape: str
) -> None:
    hostile = hostile.encode("utf-8", "replace").decode()  # what pytest captures has to be Unicode
    with logging_entered(Configuration(role="web", shape=shape, captures_output=False)):  # type: ignore[arg-type]
        logging.getLogger("shop").info("%s", hostile, extra={"a": hostile})
        process_lines().flush()
        first = capsys.readouterr().out
        structlog.get_logger("shop").info(hostile, a=hostile)
        process_lines().flush()
        second = capsys.readouterr().out
    assert is_harmless(first, shape) and is_harmless(second, shape)
