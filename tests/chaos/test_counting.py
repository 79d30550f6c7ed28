"""Whatever a server does wrong is counted as what it is: the proof can fail."""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fastforge.chaos.probing import Choice
from fastforge.chaos.program import Launch, free_port
from fastforge.chaos.report import Report
from fastforge.chaos.scenario import Crowd, Disturbance, Scenario
from fastforge.chaos.subject import Subject, ready
from fastforge.chaos.wire import Target
from fastforge.chaos.workshop import Workshop
from fastforge.exceptions import CommandError, StartError

SERVER = Path(__file__).parent / "server.py"


def subject(*, ending: str = "ends", argv: list[str] | None = None) -> Subject:
    """A server that misbehaves; it keeps no diary, so that no process is waited for."""
    port = free_port()
    return Subject(
        launch=Launch(
            argv=argv or [sys.executable, str(SERVER), str(port), ending],
            port=port,
            cwd=Path.cwd(),
            environ=os.environ,
        ),
        target=Target(port=port, host="localhost"),
        ready_path="/readyz",
        workers=0,
        start_limit_s=30,
        stop_limit_s=10,
    )


def scenario(crowd: Crowd, *, lag_s: float = 0.1, request_limit_s: float = 20) -> Scenario:
    return Scenario(
        disturbance=Disturbance.TERM,
        crowd=crowd,
        warm_s=0.3,
        lag_s=lag_s,
        request_limit_s=request_limit_s,
    )


def crowd(**numbers: int) -> Crowd:
    counts = {"keep_alive": 0, "fresh": 0, "halting": 0, "sockets": 0, "idle": 0} | numbers
    return Crowd(**counts)


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the files of proofs that are not clean stay."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


async def prove(subject: Subject, scenario: Scenario, choice: Choice) -> Report:
    with Workshop(subject) as workshop:
        return await workshop.prove(scenario, choice)


@pytest.mark.parametrize(
    ("path", "outcome"),
    [
        ("/fail", "5xx"),
        ("/missing", "4xx"),
        ("/cut", "truncated"),
        ("/cut-chunks", "truncated"),
        ("/cut-head", "truncated"),
        ("/garbage", "malformed"),
        ("/close", "eof"),
        ("/reset", "reset"),
        ("/hang", "timeout"),
    ],
)
async def test_a_failure_is_counted_by_its_kind(path: str, outcome: str) -> None:
    case = scenario(crowd(keep_alive=1, fresh=1), request_limit_s=0.2)
    report = await prove(subject(), case, Choice(paths=("/ok", path)))
    assert set(report.requests.failures) == {outcome}
    assert set(report.requests.answered) == {"keep-alive"}
    assert (report.requests.examples[0].path, report.requests.examples[0].client) == (path, "fresh")
    assert report.problems[0].startswith("requests failed: ")
    assert not report.is_clean


async def test_a_server_that_answers_all_is_clean_and_its_files_are_gone(
    kept: Path,
) -> None:
    case = scenario(crowd(keep_alive=2, fresh=2, halting=1, idle=1))
    report = await prove(subject(), case, Choice(paths=("/ok", "/once")))
    assert report.is_clean, report.problems
    assert set(report.requests.answered) == {"keep-alive", "fresh", "halting", "idle"}
    assert report.log == ""
    assert os.listdir(kept) == []


async def test_clients_that_are_refused_after_the_signal_are_failures(
    kept: Path,
) -> None:
    case = scenario(crowd(fresh=2), lag_s=0.4)
    report = await prove(subject(ending="refuses"), case, Choice(paths=("/ok",)))
    # One that came while the listener was being closed may have been reset instead.
    assert "refused" in report.requests.failures
    assert set(report.requests.failures) <= {"refused", "reset"}
    assert all(each.at_s >= 0 for each in report.requests.examples)
    assert report.log.startswith(str(kept))


async def test_how_web_sockets_end_is_told_by_their_codes() -> None:
    case = scenario(crowd(sockets=4))
    sockets = ("/closes-with-1012", "/closes-with-1011", "/is-cut", "/is-refused")
    report = await prove(subject(), case, Choice(sockets=sockets))
    assert set(report.sockets) == {"1012", "1011", "cut", "refused with 503"}
    told = " ".join(report.problems)
    assert "1011" in told
    assert "cut" in told
    assert "1012" not in told
    assert "503" not in told


async def test_an_exit_code_and_a_traceback_are_problems() -> None:
    report = await prove(subject(ending="raises"), scenario(crowd(fresh=1)), Choice(paths=("/ok",)))
    assert report.problems == ("its exit code was 3", "tracebacks in its log: 1")


async def test_a_server_that_does_not_end_is_killed_and_told() -> None:
    stubborn = replace(subject(ending="stays"), stop_limit_s=0.5)
    report = await prove(stubborn, scenario(crowd(fresh=1)), Choice(paths=("/ok",)))
    assert report.stops[0].exit_code is None
    assert "it had not ended 0.5 s after SIGTERM, and was killed" in report.problems


async def test_a_server_that_does_not_start_is_told_with_its_last_lines() -> None:
    argv = [sys.executable, "-c", "raise SystemExit('no port for you')"]
    with Workshop(subject(argv=argv)) as workshop, pytest.raises(StartError) as told:
        await workshop.choose(Choice(), Choice())
    assert told.value.code == "chaos.E002"
    assert "no port for you" in told.value.message


async def test_a_named_path_has_to_answer_and_a_found_one_is_left_out() -> None:
    with Workshop(subject()) as workshop:
        with pytest.raises(CommandError) as told:
            await workshop.choose(Choice(), Choice(paths=("/ok", "/missing")))
        assert "/missing cannot be asked for under load: it answers 404" in str(told.value)
        choice = await workshop.choose(
            Choice(paths=("/ok", "/fail"), sockets=("/is-refused", "/is-cut")), Choice()
        )
        assert choice.paths == ("/ok",)
        assert choice.sockets == ("/is-cut",)
        assert dict(choice.left_out) == {
            "/fail": "it answers 500",
            "/is-refused": "the web socket is refused with 503",
        }


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"ready_path": "/unready"}, '/unready: it answers 503 {"checks":{"roof":["fail"]}}'),
        ({"workers": 2}, "0 of 2 processes serve"),
    ],
    ids=["it is not ready", "too few processes"],
)
async def test_a_server_that_runs_and_is_not_ready_in_time_is_told_with_what_it_lacks(
    wrong: dict[str, Any], said: str, kept: Path
) -> None:
    healthy = subject()
    with healthy.start(kept / "server") as program:
        await ready(healthy, program)
        with pytest.raises(StartError) as caught:
            await ready(replace(healthy, start_limit_s=0, **wrong), program)
    assert f"not in 0 s, {said}; it wrote: nothing" in str(caught.value)


def test_an_error_is_told_though_the_files_of_the_proof_have_been_cleaned_up(kept: Path) -> None:
    with pytest.raises(StartError, match="no roof"), Workshop(subject()):
        for folder in kept.glob("fastforge-chaos-*"):
            folder.rmdir()
        raise StartError("no roof", code="shop.E001")
