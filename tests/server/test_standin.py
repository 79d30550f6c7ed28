"""While the code is broken, whoever asks is told what is wrong, and nobody is held up."""

from __future__ import annotations

import contextlib
import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from fastforge.exceptions import ErrorGroup, ResourceUnavailable, SettingsError
from fastforge.server.failure import Failure
from fastforge.server.listening import bind
from fastforge.server.standin import CONNECTIONS, StandIn

HTML = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}


@pytest.fixture
def sock() -> Iterator[socket.socket]:
    with bind("127.0.0.1", 0) as sock:
        yield sock


@pytest.fixture
def stand_in(sock: socket.socket) -> Iterator[StandIn]:
    stand_in = StandIn(sock)
    yield stand_in
    stand_in.close()


def url(sock: socket.socket) -> str:
    return f"http://127.0.0.1:{sock.getsockname()[1]}/some/page?x=1"


def failing(tmp_path: Path, text: str) -> Failure:
    file = tmp_path / "broken.py"
    file.write_text(text)
    try:
        exec(compile(text, str(file), "exec"), {})
    except Exception as error:
        return Failure.of(error)
    raise AssertionError("it should have failed")


def test_a_program_gets_a_problem_with_each_mistake(stand_in: StandIn, sock: socket.socket) -> None:
    mistakes = [SettingsError(f"number {n} is wrong", code="conf.E001") for n in (1, 2)]
    stand_in.show(Failure.of(ErrorGroup(mistakes)))
    answer = httpx.get(url(sock))
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["connection"] == "close"
    assert answer.json()["status"] == 503
    assert answer.json()["errors"] == [f"[conf.E001] number {n} is wrong" for n in (1, 2)]


def test_a_browser_gets_a_page_with_the_place_and_the_traceback(
    stand_in: StandIn, sock: socket.socket, tmp_path: Path
) -> None:
    stand_in.show(
        failing(tmp_path, "import json; x = '<b>'\n\ndef f():\n    json.loads('{')\n\nf()\n")
    )
    answer = httpx.get(url(sock), headers=HTML)
    assert answer.status_code == 503
    page = answer.text
    assert "JSONDecodeError: Expecting property name" in page
    assert "broken.py:4" in page
    assert '<span class="here"><i>4</i>    json.loads(&#x27;{&#x27;)</span>' in page
    assert "import json; x = &#x27;&lt;b&gt;&#x27;" in page
    assert "<b>" not in page
    assert "<details><summary>Traceback</summary>" in page
    assert re.search(r"in f\n.*\n  \(\d+ frames of libraries\)\n", page)


def test_the_page_is_whole_and_runs_nothing_that_is_not_its_own(
    stand_in: StandIn, sock: socket.socket
) -> None:
    stand_in.show(Failure.saying("<script>alert(1)</script>"))
    answer = httpx.get(url(sock), headers=HTML)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in answer.text
    assert "src=" not in answer.text
    assert "href=" not in answer.text
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    nonce = policy.split("'nonce-")[1].split("'")[0]
    assert answer.text.count(f'nonce="{nonce}"') == 2
    assert nonce not in httpx.get(url(sock), headers=HTML).text


def test_a_page_can_tell_whether_it_is_still_right(stand_in: StandIn, sock: socket.socket) -> None:
    stand_in.show(Failure.saying("first"))
    page, head = httpx.get(url(sock), headers=HTML), httpx.head(url(sock))
    assert head.content == b""
    assert head.headers["x-failure"] == page.headers["x-failure"]
    assert page.headers["x-failure"] in page.text
    stand_in.show(Failure.saying("second"))
    assert httpx.head(url(sock)).headers["x-failure"] != head.headers["x-failure"]


def test_no_password_is_shown(stand_in: StandIn, sock: socket.socket, tmp_path: Path) -> None:
    text = "PASSWORD = 'hunter2'\nurl = 'postgresql://me:hunter3@db/shop'\nraise ValueError(url)\n"
    stand_in.show(failing(tmp_path, text))
    for headers in ({}, HTML):
        answer = httpx.get(url(sock), headers=headers).text
        assert "ValueError" in answer
        assert "hunter" not in answer


def test_a_ring_of_causes_is_written_once() -> None:
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    assert Failure.of(first).traceback.count("ValueError: ") == 2


def test_a_database_that_is_not_up_yet_may_pass_and_a_mistake_may_not() -> None:
    assert Failure.of(ResourceUnavailable("nobody listens", code="db.E020")).may_pass
    assert not Failure.of(SettingsError("misspelt", code="conf.E017")).may_pass


def test_the_page_says_what_it_waits_for_an_edit_or_what_is_tried_again(
    stand_in: StandIn, sock: socket.socket
) -> None:
    stand_in.show(Failure.of(SettingsError("misspelt", code="conf.E017")))
    assert "when an edit is found" in httpx.get(url(sock), headers=HTML).text
    stand_in.show(Failure.of(ResourceUnavailable("nobody listens", code="db.E020")))
    assert "it is tried again" in httpx.get(url(sock), headers=HTML).text


def test_nothing_is_quoted_from_a_file_that_is_no_python(tmp_path: Path) -> None:
    from fastforge.exceptions import Location

    file = tmp_path / ".env"
    file.write_text("STRIPE=sk_live_1\nbroken line\n")
    error = SettingsError("cannot be read", code="conf.E011", where=Location(str(file), 2))
    assert "sk_live" not in Failure.of(error).to_json()


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "localhost.evil.example", ""]
)
def test_a_page_of_a_stranger_that_points_its_name_at_us_reads_nothing(
    stand_in: StandIn, sock: socket.socket, host: str
) -> None:
    stand_in.show(Failure.saying("the inside of a file"))
    answer = httpx.get(url(sock), headers={"Host": host})
    assert answer.status_code == 503
    assert "the inside" not in answer.text


@pytest.mark.parametrize("host", ["localhost:8000", "shop.localhost", "192.168.0.7:80", "[::1]:80"])
def test_the_own_machine_reads_it_under_each_name(
    stand_in: StandIn, sock: socket.socket, host: str
) -> None:
    stand_in.show(Failure.saying("the inside of a file"))
    assert "the inside" in httpx.get(url(sock), headers={"Host": host}).text


def test_a_request_with_a_body_is_answered_too(stand_in: StandIn, sock: socket.socket) -> None:
    stand_in.show(Failure.saying("broken"))
    assert httpx.post(url(sock), content=b"x" * 500_000).status_code == 503


def test_silent_and_slow_clients_hold_up_nobody(stand_in: StandIn, sock: socket.socket) -> None:
    stand_in.show(Failure.saying("broken"))
    with contextlib.ExitStack() as stack:
        for number in range(CONNECTIONS + 20):
            client = stack.enter_context(socket.create_connection(sock.getsockname()))
            if number % 2:
                client.sendall(b"GET / HTTP/1.1\r\nHost: loc")
        # Behind as many as are let in: it waits until the first of them are turned out.
        assert httpx.get(url(sock), timeout=60).status_code == 503


@pytest.mark.parametrize("data", [b"\r\n\r\n", b"\x16\x03\x01\r\n\r\n", b"GET /" + b"x" * 200_000])
def test_what_is_no_request_does_no_harm(
    stand_in: StandIn, sock: socket.socket, data: bytes
) -> None:
    stand_in.show(Failure.saying("broken"))
    with socket.create_connection(sock.getsockname()) as client, contextlib.suppress(OSError):
        client.sendall(data)
        client.makefile("rb").read()
    assert httpx.get(url(sock)).status_code == 503


def test_while_hidden_it_leaves_the_socket_to_others(
    stand_in: StandIn, sock: socket.socket
) -> None:
    stand_in.show(Failure.saying("broken"))
    assert httpx.get(url(sock)).status_code == 503
    stand_in.hide()
    with socket.create_connection(sock.getsockname()) as client:
        sock.setblocking(True)
        accepted, _ = sock.accept()
        with accepted:
            client.sendall(b"for another")
            assert accepted.recv(100) == b"for another"
    stand_in.show(Failure.saying("again"))
    assert json.loads(httpx.get(url(sock)).text)["errors"] == ["again"]
