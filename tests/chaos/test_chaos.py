"""`manage chaos` proves a restart of a whole project, or says what was lost."""

from __future__ import annotations

from .conftest import Lab

QUICK = ("--workers", "1", "--clients", "8", "--warm-s", "0.6", "--lag-s", "0.5")


def test_a_server_that_is_told_to_stop_loses_no_request(lab: Lab) -> None:
    """Nor a socket, also of those that have to join a channel to be let stay."""
    lab.write_channels("news", settings="join_timeout_s=0.3")
    (report,) = lab.reports("term", *QUICK)
    assert report["problems"] == []
    assert report["clean"]
    assert report["sockets_at"] == ["/live", "/channels"]
    assert report["requests"]["failures"] == {}
    assert report["requests"]["ok"] > 20
    assert report["paths"] == ["/livez", "/orders", "/slow", "/lines"]
    assert dict(report["left_out"]) == {"/private": "it answers 401"}
    assert report["sockets"]["1012"] == 2
    (life,) = report["lives"]
    assert life["closed"][:3] == ["roof", "house", "cellar"]
    assert report["stops"][0]["exit_code"] == 0


def test_what_is_lost_and_what_is_not_closed_is_told_and_the_exit_code_is_1(lab: Lab) -> None:
    lab.folder.write(
        {
            "shop/orders/routes.py": """
                from fastapi import APIRouter, HTTPException
                from fastforge.lifecycle import current_container

                router = APIRouter()

                @router.get("/orders")
                async def orders() -> str:
                    if current_container().draining:
                        raise HTTPException(500)
                    return "all well"
                """,
            "shop/orders/resources.py": """
                from fastforge import resource

                @resource()
                async def roof():
                    yield "roof"
                    raise RuntimeError("it leaks")
                """,
        }
    )
    done = lab.chaos("term", "--path", "/orders", *QUICK)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "FAILED requests failed: " in done.stdout
    assert " 5xx" in done.stdout
    assert (
        "opened offloading, memory_cache, memory_channels, task_clock, memory_jobs, roof,"
        " closed memory_jobs" in done.stdout
    )
    assert "its log: " in done.stdout
    assert "clean" not in done.stdout


def test_wrong_wishes_are_refused_before_anything_starts(lab: Lab) -> None:
    for arguments, said in (
        (("--clients", "0"), "[chaos.E003] --clients is 0"),
        (("--path", "orders"), "[chaos.E003] 'orders' is no path"),
        (("hup", "--workers", "1"), "[chaos.E003] --workers is 1"),
        (("--header", "nothing"), "[chaos.E003] a --header has no name and value"),
    ):
        done = lab.chaos(*arguments)
        assert done.returncode == 2
        assert said in done.stderr


def test_a_project_that_does_not_start_is_told_with_what_it_wrote(lab: Lab) -> None:
    lab.folder.write(
        {
            "shop/orders/resources.py": """
                from fastforge import resource
                from fastforge.exceptions import StartError

                @resource()
                async def roof():
                    raise StartError("the roof is missing", code="shop.E001")
                    yield
                """
        }
    )
    done = lab.chaos("term", *QUICK)
    assert done.returncode == 3
    assert "[chaos.E002] the server did not become ready: it ended with 3" in done.stderr
    assert "the roof is missing" in done.stderr


def test_a_web_socket_that_does_not_open_is_cured_by_naming_another_socket(lab: Lab) -> None:
    done = lab.chaos("term", "--socket", "/nowhere", *QUICK)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "[chaos.E001] /nowhere cannot be asked for under load: " in done.stderr
    assert "name with --socket the path of a web socket" in done.stderr
