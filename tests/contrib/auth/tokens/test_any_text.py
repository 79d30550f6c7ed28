"""Whatever comes as a token: verifiers say whether they take it, and never break."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fastforge.contrib.auth.external import Introspection, OidcIssuer
from fastforge.contrib.auth.external.looking import looked_at
from fastforge.contrib.auth.kinds import TOKEN_VERIFIERS
from fastforge.contrib.auth.resources import token_keys
from fastforge.contrib.auth.tokens.reading import handle_of
from fastforge.contrib.auth.tokens.texts import FORMS, encoded
from fastforge.lifecycle import Container

from .conftest import Start

OTHERS = (
    OidcIssuer(name="staff", issuer="https://id.example.org", audience="shop"),
    Introspection(name="p", url="https://id.example.org", client_id="a", client_secret="b"),
)
parts = st.one_of(st.text(), st.binary(max_size=90).map(encoded), st.sampled_from(["", "e30"]))
odd = st.one_of(
    st.text(),
    st.lists(parts, max_size=6).map(".".join),
    st.builds(lambda form, rest: form.prefix + rest, st.sampled_from(FORMS), parts),
    st.builds(lambda form, data: form.prefix + encoded(data), st.sampled_from(FORMS), st.binary()),
)


@pytest.fixture
async def container(start: Start) -> AsyncIterator[Container]:
    async with start() as found:
        yield found


async def test_no_text_is_a_token_of_ours_and_none_breaks_anything(container: Container) -> None:
    verifiers = container.registry.values(TOKEN_VERIFIERS)
    keys = container[token_keys]

    @given(odd)
    @example("\ud800.\ud800.\ud800")
    @example("ffa_" + "\ud800" * 80)
    @example("bnVsbA.bnVsbA.")
    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    def holds(text: str) -> None:
        assert [each.name for each in verifiers if each.accepts(text)] == []
        assert handle_of(keys, text) is None
        assert isinstance(OTHERS[0].accepts(text) or OTHERS[1].accepts(text), bool)
        head = looked_at(text)
        assert head is None or head.issuer

    holds()
