"""Each risk on the page of security has its proof: tests that are there."""

from __future__ import annotations

import re
from typing import Final

import pytest

from tests.docs.markdown import DOCS, Page
from tests.source import ROOT

PAGE: Final = Page(DOCS / "security.md")
PROOFS: Final = {row[0]: row[1] for row in PAGE.heading("Proofs").rows()}
_PROOF: Final = re.compile(r"`([a-z_/]+\.py)::(test_\w+)`")
RISKS: Final = 30
"""Those of OWASP and ASVS that a framework has a part in, and the clock."""


@pytest.mark.parametrize("risk", PROOFS)
def test_a_risk_has_its_proof(risk: str) -> None:
    proofs = _PROOF.findall(PROOFS[risk])
    assert proofs
    for file, name in proofs:
        text = (ROOT / "tests" / file).read_text(encoding="utf-8")
        assert re.search(rf"^(async )?def {name}", text, re.MULTILINE), f"{file}::{name}"


def test_the_map_and_the_proofs_have_the_same_risks() -> None:
    rows = [row for heading in PAGE.headings() for row in heading.rows()]
    mapped = [risk for risk, *columns in rows if len(columns) == 2]
    assert mapped == list(PROOFS)
    assert len(mapped) == RISKS
