"""Faults: what a driver says, the errors that it means, and what a client is told of them."""

from __future__ import annotations
