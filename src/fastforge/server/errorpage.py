"""Error page: what a browser shows while the application does not run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape
from string import Template
from typing import Final

from .._utils import first_line
from ..exceptions import Location
from .failure import Failure, Mistake

__all__ = ["html_page", "problem"]

TITLE: Final = "The application does not run"

_PAGE: Final = Template("""\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>$heading</title>
<style nonce="$nonce">
:root { color-scheme: light dark; --paper: #fbfaf8; --card: #fff; --ink: #22242a; --soft: #6a6f7a;
  --line: #e4e2dd; --red: #b3261e; --mark: #fdecea; }
@media (prefers-color-scheme: dark) { :root { --paper: #16181d; --card: #1e2127; --ink: #e6e7ea;
  --soft: #979ca8; --line: #30343c; --red: #ff8a80; --mark: #43201f; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 3rem 1.25rem; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, sans-serif; }
main { max-width: 58rem; margin: 0 auto; }
h1 { margin: 0 0 .25rem; font-size: 1.6rem; letter-spacing: -.01em; }
h1::before { content: ""; display: inline-block; width: .6rem; height: .6rem; margin-right: .6rem;
  border-radius: 50%; background: var(--red); vertical-align: middle; }
p { margin: 0 0 1.5rem; color: var(--soft); }
section, details { margin: 0 0 1rem; border: 1px solid var(--line); border-radius: 10px;
  background: var(--card); overflow: hidden; }
h2 { margin: 0; padding: .9rem 1.1rem; font-size: 1rem; font-weight: 600; color: var(--red);
  overflow-wrap: anywhere; white-space: pre-wrap; }
.place { padding: .5rem 1.1rem; border-top: 1px solid var(--line); color: var(--soft);
  font: 13px/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
pre { margin: 0; padding: .5rem 0; overflow-x: auto; border-top: 1px solid var(--line);
  font: 13.5px/1.6 ui-monospace, monospace; tab-size: 4; }
pre span { display: block; width: max-content; min-width: 100%; padding: 0 1.1rem; }
pre i { display: inline-block; min-width: 3rem; color: var(--soft); font-style: normal;
  user-select: none; }
pre .here { background: var(--mark); box-shadow: inset 3px 0 var(--red); }
summary { padding: .7rem 1.1rem; cursor: pointer; color: var(--soft); }
details pre { padding: .8rem 1.1rem; }
</style>
<noscript><meta http-equiv="refresh" content="2"></noscript>
<main>
<h1>$heading</h1>
<p id="state">This page reloads itself $until.</p>
$body
</main>
<script nonce="$nonce">
(function poll() {
  fetch(location.href, {method: "HEAD", cache: "no-store"}).then(function (answer) {
    if (answer.headers.get("x-failure") !== "$failure_id") { location.reload(); return; }
    setTimeout(poll, 700);
  }, function () {
    document.getElementById("state").textContent = "The server has been stopped.";
    setTimeout(poll, 2000);
  });
})();
</script>
</html>
""")


def html_page(failure: Failure, *, failure_id: str, nonce: str) -> str:
    """Return the whole page: no other file is needed, and everything from outside is escaped.

    Args:
        failure: What to show.
        failure_id: The value of the header `x-failure` for as long as this page is right.
        nonce: What the Content-Security-Policy of the answer allows.
    """
    return _PAGE.substitute(
        heading=TITLE,
        until="when it runs; it is tried again" if failure.may_pass else "when an edit is found",
        body="\n".join([*map(_section, failure.mistakes), *_details(failure.traceback)]),
        failure_id=escape(failure_id),
        nonce=escape(nonce),
    )


def problem(failure: Failure) -> str:
    """Return the failure as a problem of RFC 9457, with every mistake in `errors`."""
    lines = [mistake.line for mistake in failure.mistakes]
    members = {
        "type": "about:blank",
        "title": TITLE,
        "status": 503,
        "detail": first_line(lines[0]),
        "errors": lines,
    }
    return json.dumps(members)


def _section(mistake: Mistake) -> str:
    parts = [f"<section><h2>{escape(mistake.line)}</h2>"]
    if mistake.file:
        place = Location(mistake.file, mistake.number)
        parts.append(f'<div class="place">{escape(str(place))}</div>')
    if mistake.source:
        parts.append(f"<pre>{''.join(_source(mistake))}</pre>")
    return "".join([*parts, "</section>"])


def _source(mistake: Mistake) -> Iterator[str]:
    for number, text in mistake.source:
        here = ' class="here"' if number == mistake.number else ""
        yield f"<span{here}><i>{number}</i>{escape(text) or ' '}</span>"


def _details(traceback: str) -> Iterator[str]:
    if traceback:
        yield f"<details><summary>Traceback</summary><pre>{escape(traceback)}</pre></details>"
