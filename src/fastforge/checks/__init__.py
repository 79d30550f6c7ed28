"""Checks: what is legal but unwise, found before it runs."""

from .check import CHECKS, Check, Connects, Level, Message, check
from .examination import EXAMINATIONS, Diagnosis, Examination, Patient, Verdict, examination
from .runner import Findings, run_checks

__all__ = [
    "CHECKS",
    "EXAMINATIONS",
    "Check",
    "Connects",
    "Diagnosis",
    "Examination",
    "Findings",
    "Level",
    "Message",
    "Patient",
    "Verdict",
    "check",
    "examination",
    "run_checks",
]
