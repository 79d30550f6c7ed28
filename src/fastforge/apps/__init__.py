"""Apps: the packages a project installs, and what each says about itself."""

from .config import AppConfig
from .loader import load_apps

__all__ = ["AppConfig", "load_apps"]
