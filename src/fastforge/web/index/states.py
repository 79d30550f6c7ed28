"""States: walks the segments of a path through the patterns of all routes at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from .patterns import Pattern

__all__ = ["State", "States"]

# 200 routes below `/orgs/{org}/app` make 427 states, less than one for two segments, and may make
# 5,024. One with what is kept for it takes 1 KB there, and up to 3 KB where patterns overlap most.
STATES_PER_NODE: Final = 4
SPARE_STATES: Final = 1000


class _Node:
    """A place in the tree of patterns: the routes that end here, or go on with anything."""

    __slots__ = ("ending", "open", "parameter", "texts")

    def __init__(self) -> None:
        self.texts: dict[str, _Node] = {}
        self.parameter: _Node | None = None
        self.ending: list[int] = []
        self.open: list[int] = []

    def step(self, segment: str | None) -> _Node:
        """Return the node below, made when it is not there."""
        if segment is not None:
            return self.texts.setdefault(segment, _Node())
        if self.parameter is None:
            self.parameter = _Node()
        return self.parameter


class State:
    """All nodes that the segments read so far may have led to: equal ones are one object.

    `result` is for whoever asks: it is made once for each state.
    """

    __slots__ = ("edges", "nodes", "other", "passed", "result")

    def __init__(self, nodes: frozenset[_Node], passed: frozenset[int]) -> None:
        self.nodes = nodes
        self.passed = passed
        self.edges: dict[str, State] | None = None
        self.other = self
        self.result: Any = None

    def routes(self) -> list[int]:
        """Return the routes that a path which ends here may have, in their order."""
        return sorted(self.passed.union(*(node.ending for node in self.nodes)))


class States:
    """The patterns of all routes, made into states as paths need them.

    A step costs one look-up, however many routes there are. Which states there are is decided by
    the patterns: every text that no pattern has leads to the same state. In a table where texts
    and parameters stand side by side on many levels their number can still explode, and paths
    decide which are made: so it is bounded, and beyond the bound every route is a candidate,
    as without an index.

    Args:
        patterns: One for each route, in the order in which the routes are tried.
    """

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        root, nodes, self.depth = _Node(), 1, 0
        for number, pattern in enumerate(patterns):
            node = root
            for segment in pattern.segments:
                node = node.step(segment)
            (node.ending if pattern.ends else node.open).append(number)
            nodes += len(pattern.segments)
            self.depth = max(self.depth, len(pattern.segments))
        self.most = nodes * STATES_PER_NODE + SPARE_STATES
        self._known: dict[tuple[frozenset[_Node], frozenset[int]], State] = {}
        self._any = State(frozenset(), frozenset(range(len(patterns))))
        self._first = self._state([root], frozenset())

    def __len__(self) -> int:
        return len(self._known)

    def find(self, path: str) -> State:
        """Return the state at the end of a path."""
        path = path.rstrip("/")
        if path.endswith("\n"):
            # The `$` at the end of a route's expression lets one pass.
            return self._any
        state = self._first
        # Nothing is deeper than the deepest pattern: a path of a thousand segments costs no more.
        for segment in path.split("/", self.depth + 1)[1:]:
            edges = state.edges
            if edges is None:
                edges = self._expand(state)
            state = edges.get(segment, state.other)
        return state

    def _expand(self, state: State) -> dict[str, State]:
        parameters = [node.parameter for node in state.nodes if node.parameter is not None]
        edges = {
            text: self._state(
                [*parameters, *(node.texts[text] for node in state.nodes if text in node.texts)],
                state.passed,
            )
            for text in {text for node in state.nodes for text in node.texts}
        }
        # Another thread may be reading: `edges` is what says that the rest is there.
        state.other = self._state(parameters, state.passed) if state is not self._any else state
        state.edges = edges
        return edges

    def _state(self, nodes: Iterable[_Node], passed: frozenset[int]) -> State:
        within = frozenset(nodes)
        key = within, passed.union(*(node.open for node in within))
        state = self._known.get(key)
        if state is None:
            if len(self._known) >= self.most:
                return self._any
            state = self._known[key] = State(*key)
        return state
