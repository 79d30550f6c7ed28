"""Draw the pictures of the documentation: docs/images/concept-*.svg.

Usage: python -m scripts.pictures
"""

from __future__ import annotations

from pathlib import Path

from .concepts import PICTURES

IMAGES = Path(__file__).resolve().parent.parent.parent / "docs" / "images"


def main() -> None:
    """Write each picture into its file."""
    for name, draw in PICTURES.items():
        (IMAGES / f"{name}.svg").write_text(draw().svg(), encoding="utf-8")
        print(f"wrote docs/images/{name}.svg")


if __name__ == "__main__":
    main()
