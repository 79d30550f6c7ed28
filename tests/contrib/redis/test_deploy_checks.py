"""Each check of REDIS before a deployment has an address that fails it, and one that passes."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastforge.checks import run_checks
from tests.folder import isolated

FAR = "rediss://shop:Xk3vT9wQ@redis.example.com:6379/0"


def found(path: Path, redis: str) -> set[str]:
    path.mkdir()
    with isolated(path) as folder:
        folder.write(
            {
                "shop/settings.py": f"""
                    INSTALLED_APPS = ["fastforge.contrib.redis"]
                    REDIS = {{{redis}}}
                    """
            }
        )
        return {each.id for each in run_checks(folder.load(), deploy=True, tags=["redis"])}


@pytest.mark.parametrize(
    ("id", "wrong", "right"),
    [
        ("redis.W002", '"url": "rediss://redis.example.com"', f'"url": "{FAR}"'),
        ("redis.W003", f'"url": "{FAR.replace("rediss", "redis")}"', '"url": "redis://redis:6379"'),
        ("redis.W004", f'"url": "{FAR}?ssl_cert_reqs=none"', f'"url": "{FAR}"'),
        ("redis.W005", f'"url": "{FAR}", "read_timeout_s": 10', f'"url": "{FAR}"'),
    ],
)
def test_it_is_told_where_it_is_wrong_and_not_where_it_is_right(
    tmp_path: Path, id: str, wrong: str, right: str
) -> None:
    assert found(tmp_path / "wrong", wrong) == {id}
    assert found(tmp_path / "right", right) == set()
