"""Docker: the files that make an image of the project."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from ...scaffold.image import Image, image_files
from .dependencies import install_steps
from .deployment import Deployment, whole_seconds

__all__ = ["docker_files", "next_steps"]

IGNORE: Final = ".dockerignore"


def docker_files(deployment: Deployment, folder: Path) -> Mapping[str, str]:
    """Return the Dockerfile, and what is left out of the image, by their paths.

    The image is built in the project's folder, wherever the Dockerfile stands; outside of that
    folder what is left out stands beside it, under the name that Docker looks for there.

    Args:
        deployment: The project.
        folder: Where the files are to stand.
    """
    files = image_files(
        Image(
            name=deployment.name,
            python=deployment.python,
            manage=deployment.manage,
            install=install_steps(deployment.root),
            settings_module=deployment.settings_module,
            live_path=deployment.health.live_path,
            start_s=deployment.start_s,
            stop_s=whole_seconds(deployment.without_pre_stop.kill_after_s),
        )
    )
    if folder.resolve() == deployment.root.resolve():
        return files
    return {f"Dockerfile{IGNORE}" if name == IGNORE else name: text for name, text in files.items()}


def next_steps(deployment: Deployment, folder: Path) -> Iterator[str]:
    """Yield what to type when the files are there."""
    file = shlex.quote(os.path.relpath(folder / "Dockerfile"))
    option = "" if file == "Dockerfile" else f"--file {file} "
    context = shlex.quote(os.path.relpath(deployment.root))
    yield f"docker build {option}--tag {deployment.name}:{deployment.version} {context}"
