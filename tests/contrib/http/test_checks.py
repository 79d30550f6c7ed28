"""`manage check --deploy`: what the settings open to URLs of others."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastforge.checks import run_checks
from tests.folder import isolated


def found(path: Path, networks: str) -> list[str]:
    settings = f"""
        from fastforge.contrib.http import ExternalHttp

        INSTALLED_APPS = ["fastforge.contrib.http"]
        EXTERNAL_HTTP = ExternalHttp(allow_networks={networks})
        """
    with isolated(path) as folder:
        folder.write({"shop/settings.py": settings})
        report = run_checks(folder.load(), deploy=True)
        return [str(each) for each in report.messages if each.id == "http.W001"]


@pytest.mark.parametrize("network", ["127.0.0.0/8", "127.0.0.1/32", "0.0.0.0/0", "::1/128", "::/0"])
def test_a_network_that_leads_to_this_machine_is_told(tmp_path: Path, network: str) -> None:
    (line,) = found(tmp_path, f'["10.1.0.0/16", "{network}"]')
    assert f"'{network}'" in line
    assert "settings.py:4" in line


def test_others_are_not(tmp_path: Path) -> None:
    assert found(tmp_path, '["10.1.0.0/16", "fd00:1::/32"]') == []
