"""Pagination: lists in pages, by offset or by keyset, with what OpenAPI says of them."""

from __future__ import annotations

from .errors import InvalidCursor, PaginationError
from .pages import CursorPage, Page
from .paging import paginate
from .requests import Keyset, KeysetPage, Offset, OffsetPage, keyset_page, offset_page

__all__ = [
    "CursorPage",
    "InvalidCursor",
    "Keyset",
    "KeysetPage",
    "Offset",
    "OffsetPage",
    "Page",
    "PaginationError",
    "keyset_page",
    "offset_page",
    "paginate",
]
