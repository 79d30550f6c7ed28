"""Plots: the costs of all peers as bars, in one SVG that is light or dark as the reader's page."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping
from html import escape
from typing import Final

from .results import Results
from .rounds import Cost
from .tables import CASES, OURS, SUBJECTS

__all__ = ["cpu_plot"]

WIDTH: Final = 800
PANEL: Final = 400
LABELS: Final = 166
FIGURES: Final = 78
BAR: Final = 14
STEP: Final = 20
HEAD: Final = 34
GAP: Final = 16
STYLE: Final = """
text { font: 12px system-ui, sans-serif; fill: #334155; }
.title { font-size: 13px; font-weight: 600; fill: #0f172a; }
.ours { font-weight: 600; fill: #0f766e; }
.bar { fill: #cbd5e1; }
.bar.first { fill: #0d9488; }
.range { stroke: #475569; stroke-width: 1.5; }
@media (prefers-color-scheme: dark) {
  text { fill: #cbd5e1; }
  .title { fill: #f1f5f9; }
  .ours { fill: #5eead4; }
  .bar { fill: #475569; }
  .bar.first { fill: #14b8a6; }
  .range { stroke: #e2e8f0; }
}
"""


def cpu_plot(results: Results) -> str:
    """Return an SVG: a panel for each case, in it a bar for everybody, the shortest the cheapest.

    Over each bar stands a line from the cheapest round but one in four to the dearest but one in
    four.
    """
    cases = [case for case in CASES if case in results.costs]
    height_of_panel = HEAD + STEP * max(len(results.costs[case]) for case in cases) + GAP
    height = height_of_panel * ((len(cases) + 1) // 2)
    title = "CPU time of one request on fastforge and on others"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>{title}</title>",
        f"<style>{STYLE}</style>",
    ]
    for index, case in enumerate(cases):
        left, top = PANEL * (index % 2), height_of_panel * (index // 2)
        lines.append(f'<g transform="translate({left} {top})">')
        lines += _panel(CASES[case], results.costs[case])
        lines.append("</g>")
    return "\n".join((*lines, "</svg>", ""))


def _panel(title: str, costs: Mapping[str, Cost]) -> Iterator[str]:
    widest = max(statistics.median(cost.cpu_us) for cost in costs.values())
    scale = (PANEL - LABELS - FIGURES) / widest
    yield f'<text class="title" x="{LABELS}" y="20">{escape(title)}, µs</text>'
    for row, name in enumerate(name for name in SUBJECTS if name in costs):
        yield from _bar(name, costs[name].cpu_us, HEAD + STEP * row, scale)


def _bar(name: str, cpu_us: list[float], top: int, scale: float) -> Iterator[str]:
    middle = statistics.median(cpu_us)
    low, _, high = statistics.quantiles(cpu_us, n=4) if len(cpu_us) > 1 else (middle,) * 3
    text, bar = ("ours", "bar first") if name == OURS else ("", "bar")
    centre = top + BAR / 2
    yield (
        f'<text class="{text}" x="{LABELS - 8}" y="{top + 11}" text-anchor="end">'
        f"{escape(SUBJECTS[name])}</text>"
    )
    yield (
        f'<rect class="{bar}" x="{LABELS}" y="{top}" width="{middle * scale:.1f}"'
        f' height="{BAR}" rx="2"/>'
    )
    ends = (f"{LABELS + min(us, middle * 1.1) * scale:.1f}" for us in (low, high))
    yield '<line class="range" x1="{}" x2="{}" y1="{y}" y2="{y}"/>'.format(*ends, y=f"{centre:g}")
    yield (
        f'<text class="{text}" x="{LABELS + middle * 1.1 * scale + 6:.1f}" y="{top + 11}">'
        f"{middle:,.0f}</text>"
    )
