"""What the pages use of curl, for machines without it.

`-s -i -X METHOD -H HEADER -H @FILE -d DATA -o FILE -D - URL`.
"""

from __future__ import annotations

import argparse
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

COULD_NOT_CONNECT = 7


def main(arguments: Sequence[str]) -> int:
    """Ask and print the answer; the exit code is curl's."""
    parser = argparse.ArgumentParser(prog="curl")
    parser.add_argument("url")
    parser.add_argument("-s", action="store_true")
    parser.add_argument("-i", action="store_true")
    parser.add_argument("-X", dest="method")
    parser.add_argument("-H", dest="headers", action="append", default=[])
    parser.add_argument("-d", dest="data")
    parser.add_argument("-o", dest="body_to", choices=["/dev/null"])
    parser.add_argument("-D", dest="headers_to", choices=["-"])
    options = parser.parse_args(arguments)
    data = None if options.data is None else options.data.encode()
    request = urllib.request.Request(options.url, data=data, method=options.method)
    for name, _, value in (header.partition(":") for header in lines_of(options.headers)):
        request.add_header(name.strip(), value.strip())
    shown = {
        "with_headers": options.i or options.headers_to is not None,
        "with_body": options.body_to is None,
    }
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            write(answer, **shown)
    except urllib.error.HTTPError as answer:
        with answer:
            write(answer, **shown)
    except OSError:
        return COULD_NOT_CONNECT
    return 0


def lines_of(headers: Sequence[str]) -> Iterator[str]:
    """Give the headers themselves: `@name` stands for those in a file."""
    for header in headers:
        if header.startswith("@"):
            yield from Path(header[1:]).read_text(encoding="utf-8").splitlines()
        else:
            yield header


def write(answer: urllib.error.HTTPError, *, with_headers: bool, with_body: bool) -> None:
    if with_headers:
        sys.stdout.write(f"HTTP/1.1 {answer.status} {answer.reason}\r\n{answer.headers}")
    if with_body:
        sys.stdout.write(answer.read().decode())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
