"""Draw the pictures of the documentation: docs/images/architecture.svg and concept-*.svg.

Usage: python -m scripts.pictures
"""

from __future__ import annotations

from pathlib import Path

from . import architecture, concepts

IMAGES = Path(__file__).resolve().parent.parent.parent / "docs" / "images"
PICTURES = {**architecture.PICTURES, **concepts.PICTURES}


def main() -> None:
    """Write each picture into its file."""
    for name, draw in PICTURES.items():
        (IMAGES / f"{name}.svg").write_text(draw().svg(), encoding="utf-8")
        print(f"wrote docs/images/{name}.svg")


if __name__ == "__main__":
    main()
