"""Make a virtual environment with fastforge (editable) and everything its tests and checks need.

Usage: python3 scripts/environment.py [FOLDER] [--demo]

With `--demo` it has what the example project needs and no more, which is there in a quarter of the
time; the rest can be added to it later.

Runs on a bare Python, so it uses the standard library only. Where Debian has split `ensurepip`
off, its package is installed when that is allowed, else one line says which.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST = (3, 11)
NEWEST = (3, 14)
# The first one that knows dependency groups.
PIP = "pip>=25.1"
DEMO = "--demo"


def main(folder: Path, *, is_for_demo: bool) -> None:
    """Make the environment, or say in one line why not."""
    if sys.version_info < OLDEST:
        restart_on_newer_python()
    ensure_venv_module()
    python = folder / "bin" / "python"
    if not runs(str(python)):
        print(f"making {folder} with Python {sys.version.split()[0]}", flush=True)
        run(sys.executable, "-m", "venv", "--clear", str(folder))
    pip = (str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
    if is_for_demo:
        print("installing fastforge and what the example project needs", flush=True)
        run(*pip, "--editable", f"{ROOT}[auth,mail,ratelimit,templates]")
    else:
        run(*pip, "--upgrade", PIP)
        print("installing fastforge and what its tests need", flush=True)
        run(*pip, "--editable", f"{ROOT}[all]", "--group", f"{ROOT / 'pyproject.toml'}:dev")
        (folder / ".installed").touch()
    (folder / ".installed-demo").touch()


def restart_on_newer_python() -> None:
    """Replace this process by one on a Python that is new enough."""
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        python = shutil.which(f"python3.{minor}")
        if python and runs(python):
            os.execv(python, [python, *sys.argv])
    sys.exit(f"fastforge needs Python 3.{OLDEST[1]} or newer; this is {sys.version.split()[0]}")


def ensure_venv_module() -> None:
    """Install Debian's package with `ensurepip` where it is missing."""
    if importlib.util.find_spec("ensurepip") and importlib.util.find_spec("venv"):
        return
    package = f"python3.{sys.version_info.minor}-venv"
    if not install_packages(package):
        sys.exit(f"this Python cannot make a virtual environment: apt-get install {package}")


def install_packages(*packages: str) -> bool:
    """Install Debian packages, when there is apt and we are root or may become it unasked."""
    if shutil.which("apt-get") is None:
        return False
    if os.geteuid() == 0:
        become_root: list[str] = []
    elif succeeds("sudo", "-n", "true"):
        become_root = ["sudo", "-n"]
    else:
        return False
    print(f"installing {', '.join(packages)} with apt-get", flush=True)
    apt = [*become_root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    subprocess.run([*apt, "update"], check=False)
    done = subprocess.run(
        [*apt, "install", "-y", *packages], check=False, stdout=subprocess.DEVNULL
    )
    return done.returncode == 0


def runs(python: str) -> bool:
    """Whether this is a Python that starts (a version manager's empty shim does not)."""
    return succeeds(python, "-c", "")


def succeeds(*argv: str) -> bool:
    """Whether the command exists and ends well; what it writes is not shown."""
    try:
        return subprocess.run(argv, check=False, capture_output=True).returncode == 0
    except OSError:
        return False


def run(*argv: str) -> None:
    """Run a command; its own message is enough when it fails."""
    done = subprocess.run(argv, check=False)
    if done.returncode != 0:
        sys.exit(done.returncode)


if __name__ == "__main__":
    folders = [each for each in sys.argv[1:] if each != DEMO]
    main(Path(folders[0] if folders else ".venv"), is_for_demo=DEMO in sys.argv)
