"""Sockets: one client, from its handshake to its end, and what it asks for."""

from __future__ import annotations
