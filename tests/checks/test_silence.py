"""A message is silenced at its place by a comment that gives a reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastforge.checks import run_checks
from tests.folder import isolated

CHECKS = """
    from pathlib import Path

    from fastforge.checks import Level, Message, check
    from fastforge.exceptions import Location

    @check
    def always(project):
        work = str(Path(__file__).with_name("work.py"))
        yield Message(
            id="orders.W001", level=Level.WARNING, text="slow", where=Location(work, 2, 5)
        )
    """


@pytest.mark.parametrize(
    ("work", "is_silenced"),
    [
        ("\nslow()\n", False),
        ("\nslow()  # silenced orders.W001: once a day\n", True),
        ("\nslow()  # silenced db.W001, orders.W001: once a day  # noqa: S101\n", True),
        ("# silenced orders.W001: once a day\nslow()\n", True),
        ("\nslow()  # silenced orders.W001\n", False),
        ("\nslow()  # silenced orders.W001:\n", False),
        ("\nslow()  # silenced orders.W002: once a day\n", False),
        ("fast()  # silenced orders.W001: once a day\nslow()\n", False),
    ],
)
def test_a_comment_at_the_place_with_a_reason_silences(
    tmp_path: Path, work: str, is_silenced: bool
) -> None:
    """Beside the line, or alone above it; of several ids each counts."""
    with isolated(tmp_path) as folder:
        folder.write(
            {
                "shop/settings.py": 'INSTALLED_APPS = ["shop.orders"]',
                "shop/orders/checks.py": CHECKS,
            }
        )
        (tmp_path / "shop/orders/work.py").write_text(work)
        findings = run_checks(folder.load())
    assert [message.id for message in findings.silenced] == ["orders.W001"] * is_silenced
    told = [str(message).replace(f"{tmp_path}/", "") for message in findings]
    assert told == ["warning [orders.W001] shop/orders/work.py:2:5: slow"] * (not is_silenced)
