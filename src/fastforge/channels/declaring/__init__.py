"""Declaring: what the class of a channel says, read and checked when it is defined."""

from __future__ import annotations
