"""Canvas: boxes, arrows and words on a grid of pixels, written as an SVG for light and dark."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import Final, Literal

__all__ = ["Box", "Canvas", "Look"]

Look = Literal["plain", "strong", "good", "bad", "quiet"]

LETTER_WIDTH: Final = 7.2
NAME_WIDTH: Final = 8.0
"""What a letter takes at most on average, plain and bold, so that words fit into their box."""
LINE_HEIGHT: Final = 18
PADDING: Final = 8

STYLE: Final = """
  .paper { fill: #ffffff } .plain { fill: #f3f5f9; stroke: #8a94a6 }
  .strong { fill: #e7edff; stroke: #3b62d9 } .good { fill: #e6f6ec; stroke: #25803f }
  .bad { fill: #fdeaea; stroke: #c23b3b } .quiet { fill: none; stroke: #b3bac7 }
  text { font: 13px ui-sans-serif, system-ui, sans-serif; fill: #1d2433 }
  .head { font-weight: 600 } .note { fill: #596377 }
  .arrow { stroke: #596377; fill: none } .tip { fill: #596377 }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #16191f } .plain { fill: #232833; stroke: #6f7a8e }
    .strong { fill: #1e2c55; stroke: #86a3ff } .good { fill: #173524; stroke: #62c684 }
    .bad { fill: #431f20; stroke: #ff8f86 } .quiet { stroke: #4b5463 }
    text { fill: #e6e9f0 } .note { fill: #a3adbd }
    .arrow { stroke: #a3adbd } .tip { fill: #a3adbd }
  }"""

TIP: Final = """\
<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8"
  orient="auto"><path class="tip" d="M0 0 L8 4 L0 8 z"/></marker></defs>"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """Where a box stands, so that arrows find its edges."""

    x: float
    y: float
    width: float
    height: float

    @property
    def left(self) -> tuple[float, float]:
        return self.x, self.y + self.height / 2

    @property
    def right(self) -> tuple[float, float]:
        return self.x + self.width, self.y + self.height / 2

    @property
    def top(self) -> tuple[float, float]:
        return self.x + self.width / 2, self.y

    @property
    def bottom(self) -> tuple[float, float]:
        return self.x + self.width / 2, self.y + self.height


@dataclass(slots=True, kw_only=True)
class Canvas:
    """One picture.

    Args:
        title: What a screen reader says first.
        text: What is to be seen, for those who do not see it.
    """

    title: str
    text: str
    width: int
    height: int
    _parts: list[str] = field(default_factory=list)

    def box(
        self, x: float, y: float, width: float, *lines: str, look: Look = "plain", height: float = 0
    ) -> Box:
        """Draw a box with lines of words in its middle; the first one is its name.

        Raises:
            ValueError: A line is longer than the box is wide.
        """
        for number, line in enumerate(lines):
            if len(line) * (LETTER_WIDTH if number else NAME_WIDTH) > width:
                raise ValueError(f"{line!r} does not fit into {width} pixels")
        box = Box(x=x, y=y, width=width, height=height or len(lines) * LINE_HEIGHT + 2 * PADDING)
        self._parts.append(
            f'<rect class="{look}" x="{x:g}" y="{y:g}" width="{width:g}"'
            f' height="{box.height:g}" rx="6"/>'
        )
        first = y + (box.height - len(lines) * LINE_HEIGHT) / 2 + 13
        for number, line in enumerate(lines):
            where = (x + width / 2, first + number * LINE_HEIGHT)
            self.words(*where, line, look="note" if number else "head", anchor="middle")
        return box

    def words(
        self,
        x: float,
        y: float,
        line: str,
        *,
        look: Literal["note", "head"] = "note",
        anchor: Literal["start", "middle", "end"] = "start",
    ) -> None:
        """Write one line; `y` is where its letters stand."""
        self._parts.append(
            f'<text class="{look}" x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(line)}</text>'
        )

    def arrow(
        self,
        begin: tuple[float, float],
        end: tuple[float, float],
        says: str = "",
        *,
        above: int = 6,
    ) -> None:
        """Draw a straight arrow, with words over its middle."""
        (x1, y1), (x2, y2) = begin, end
        self._parts.append(
            f'<path class="arrow" marker-end="url(#tip)" d="M{x1:g} {y1:g} L{x2:g} {y2:g}"/>'
        )
        if says:
            self.words((x1 + x2) / 2, (y1 + y2) / 2 - above, says, anchor="middle")

    def line(self, begin: tuple[float, float], end: tuple[float, float]) -> None:
        """Draw a thin line, such as an edge of a time."""
        (x1, y1), (x2, y2) = begin, end
        self._parts.append(
            f'<path class="arrow" stroke-dasharray="3 3" d="M{x1:g} {y1:g} L{x2:g} {y2:g}"/>'
        )

    def svg(self) -> str:
        """Return the file."""
        size = f'width="{self.width}" height="{self.height}"'
        return "\n".join(
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" {size}',
                f'  viewBox="0 0 {self.width} {self.height}" role="img"',
                '  aria-labelledby="title text">',
                f'<title id="title">{escape(self.title)}</title>',
                f'<desc id="text">{escape(self.text)}</desc>',
                f"<style>{STYLE}\n</style>",
                TIP,
                f'<rect class="paper" {size} rx="8"/>',
                *self._parts,
                "</svg>\n",
            )
        )
