"""Error page: what a browser shows while the application does not run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape
from string import Template
from typing import Final

from .._utils import first_line
from ..exceptions import Location
from ..web.look import style
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
$style
body { padding-top: 3rem; }
header { border-top-color: var(--bad); }
h1 { font-size: clamp(1.7rem, 5vw, 2.4rem); }
section, details { margin: 1rem 0 0; border: 1px solid var(--line); border-radius: .6rem;
  background: var(--raised); overflow: hidden; }
h2 { margin: 0; padding: .9rem 1.1rem; color: var(--bad); white-space: pre-wrap; }
.place { padding: .5rem 1.1rem; border-top: 1px solid var(--line); color: var(--quiet);
  font: .84rem/1.5 ui-monospace, monospace; }
pre.source { border-top: 1px solid var(--line); }
summary { padding: .7rem 1.1rem; cursor: pointer; color: var(--quiet); }
details pre { margin: 0; padding: .8rem 1.1rem; overflow-x: auto; border-top: 1px solid var(--line);
  font-size: .84rem; }
</style>
<noscript><meta http-equiv="refresh" content="2"></noscript>
<header>
<h1>$heading</h1>
<p class="lead" id="state">This page reloads itself $until.</p>
</header>
<main>
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
        style=style(),
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
        parts.append(f'<pre class="source">{"".join(_source(mistake))}</pre>')
    return "".join([*parts, "</section>"])


def _source(mistake: Mistake) -> Iterator[str]:
    for number, text in mistake.source:
        here = ' class="here"' if number == mistake.number else ""
        yield f"<span{here}><i>{number}</i>{escape(text) or ' '}</span>"


def _details(traceback: str) -> Iterator[str]:
    if traceback:
        yield f"<details><summary>Traceback</summary><pre>{escape(traceback)}</pre></details>"
