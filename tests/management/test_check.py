"""`check` chooses by tag, lists, counts what is silenced, and survives a check that fails."""

from __future__ import annotations

import json

from tests.folder import ProjectFolder

from .conftest import Shell

CHECKS = """
    from fastforge.checks import Level, Message, check

    @check(tags={"paper"})
    def paper(project):
        yield Message(id="notes.W001", level=Level.WARNING, text="thin paper")

    @check(tags={"ink"}, deploy=True)
    def ink(project):
        yield Message(id="notes.E001", level=Level.ERROR, text="no ink")
    """

SILENCED = """
    INSTALLED_APPS = ["shop.notes"]
    SILENCED_CHECKS = {"notes.W001": "it is cheap"}
    """


def test_tags_choose_and_may_be_repeated(shop: ProjectFolder, manage: Shell) -> None:
    shop.write({"shop/notes/checks.py": CHECKS})
    assert manage("check", "--tag", "paper").out.splitlines()[-1] == "1 warning"
    both = manage("check", "--tag", "paper", "--tag", "ink", "--deploy")
    assert (both.out.splitlines()[-1], both.code) == ("1 error, 1 warning", 1)
    assert manage("check", "--tag", "settings").out == "no problems\n"


def test_a_tag_of_which_no_check_runs_is_no_good_news(shop: ProjectFolder, manage: Shell) -> None:
    shop.write({"shop/notes/checks.py": CHECKS})
    result = manage("check", "--tag", "ink")
    assert result.out == "no check ran: those with this tag need an option, which --list shows\n"


def test_an_unknown_tag_is_refused(shop: ProjectFolder, manage: Shell) -> None:
    result = manage("check", "--tag", "securty")
    assert result.code == 2
    assert "[checks.E004] no check has the tag 'securty'; did you mean 'security'?" in result.err


def test_what_is_silenced_is_counted(shop: ProjectFolder, manage: Shell) -> None:
    shop.write({"shop/notes/checks.py": CHECKS, "shop/settings.py": SILENCED})
    assert manage("check").out == "no problems, 1 silenced\n"
    found = json.loads(manage("check", "--json").out)
    assert (found["messages"], found["silenced"]) == ([], 1)
    assert found["ran"] > 1


def test_checks_are_listed_with_their_tags_and_do_not_run(
    shop: ProjectFolder, manage: Shell
) -> None:
    shop.write({"shop/notes/checks.py": CHECKS})
    result = manage("check", "--list", "--json")
    rows = {row["check"]: row for row in json.loads(result.out)}
    assert rows["notes.ink"] == {
        "check": "notes.ink",
        "app": "notes",
        "tags": "ink",
        "runs": "with --deploy",
        "where": "shop/notes/checks.py:7",
    }
    assert result.code == 0
    assert manage("check", "--list").out.splitlines()[0].split()[:3] == ["CHECK", "APP", "TAGS"]


def test_a_traceback_of_a_check_is_shown_when_asked_for(shop: ProjectFolder, manage: Shell) -> None:
    shop.write(
        {
            "shop/notes/checks.py": (
                "from fastforge.checks import check\n\n@check\ndef breaks(project):\n    1 / 0\n"
            )
        }
    )
    quiet = manage("check")
    assert (quiet.code, quiet.err) == (1, "")
    assert "shop/notes/checks.py:5: the check 'notes.breaks' fails: ZeroDivisionError" in quiet.out
    loud = manage("--traceback", "check")
    assert loud.code == 1
    assert 'notes/checks.py", line 5, in breaks' in loud.err
