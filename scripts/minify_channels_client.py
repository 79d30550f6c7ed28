"""Write anew what is served of the JavaScript client, after its source was changed.

Usage: python scripts/minify_channels_client.py [COMMAND ...]

The command is that of terser, which comes with Node.js: `npx terser` where nothing is said.
"""

from __future__ import annotations

import subprocess
import sys
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "src" / "fastforge" / "channels" / "client"
SOURCE = FOLDER / "fastforge-channels.js"
SERVED = FOLDER / "fastforge-channels.min.js"
COMPRESS = ("--compress", "passes=4,unsafe_arrows=true")  # nothing there has a `this`
MANGLE = ("--mangle", "--mangle-props", "regex=/^_/")
OPTIONS = ("--module", "--ecma", "2020", *COMPRESS, *MANGLE)


def header(source: bytes) -> str:
    """Return the first line of what is made of a source."""
    return f"/* {sha256(source).hexdigest()[:16]} */\n"


def main(command: list[str]) -> int:
    """Write the file."""
    argv = [*(command or ["npx", "terser"]), str(SOURCE), *OPTIONS]
    minified = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
    SERVED.write_text(header(SOURCE.read_bytes()) + minified, encoding="utf-8")
    sys.stdout.write(f"{SERVED.name}: {SERVED.stat().st_size} bytes\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
