"""Checks: what is legal but unwise, found before it runs."""

from .check import CHECKS, Check, Connects, Level, Message, check
from .runner import Findings, run_checks

__all__ = ["CHECKS", "Check", "Connects", "Findings", "Level", "Message", "check", "run_checks"]
