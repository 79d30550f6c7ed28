"""Paths are walked through all patterns at once, and no path makes the index grow without end."""

from __future__ import annotations

from itertools import product

from fastforge.web.index.patterns import Pattern
from fastforge.web.index.states import SPARE_STATES, STATES_PER_NODE, States


def ending(*segments: str | None) -> Pattern:
    return Pattern(segments=segments, ends=True)


def test_a_text_a_parameter_and_what_is_open_are_found_together_in_their_order() -> None:
    states = States(
        [
            ending("a", None),
            Pattern(),
            ending(None, "b"),
            ending("a", "b"),
            Pattern(segments=("a",)),
            ending("a"),
            Pattern(segments=(None, None)),
        ]
    )
    assert states.find("/a/b").routes() == [0, 1, 2, 3, 4, 6]
    assert states.find("/a/c").routes() == [0, 1, 4, 6]
    assert states.find("/z/b").routes() == [1, 2, 6]
    assert states.find("/a").routes() == [1, 4, 5]
    assert states.find("/a/b/c/d").routes() == [1, 4, 6]
    assert states.find("/").routes() == [1]


def test_slashes_at_the_end_find_what_is_found_without_them() -> None:
    states = States([ending("a"), ending()])
    assert states.find("/a///") is states.find("/a")
    assert states.find("") is states.find("//") is states.find("*")


def test_texts_that_no_pattern_has_make_no_new_states() -> None:
    states = States([ending("orders", None), ending("orders", None, "lines")])
    states.find("/orders/1/lines")
    known = len(states)
    for number in range(2000):
        states.find(f"/orders/{number}/lines")
        states.find(f"/{number}/orders/{number}/{number}")
    assert len(states) <= known + 3


def test_a_path_is_read_no_deeper_than_the_deepest_pattern() -> None:
    states = States([ending("a", "b")])
    states.find("/a/b/" + "c/" * 1000)
    assert states.depth == 2
    assert len(states) == 4  # at the root, after /a, after /a/b, and nowhere


def test_beyond_the_bound_every_route_is_a_candidate_and_nothing_is_kept() -> None:
    depth = 12
    patterns = [
        ending(*("a" if level == number else None for level in range(depth)))
        for number in range(depth)
    ]
    states = States(patterns)
    bound = STATES_PER_NODE * (depth * depth + 1) + SPARE_STATES
    assert states.most == bound
    found = [states.find("/" + "/".join(path)) for path in product("ab", repeat=depth)]
    assert len(states) == bound
    assert found[-1].routes() in ([], list(range(depth)))
    for path, state in zip(product("ab", repeat=depth), found, strict=True):
        wanted = {number for number in range(depth) if path[number] == "a"}
        assert wanted <= set(state.routes())
