"""Results as one HTML page that needs no network."""

from __future__ import annotations

from neurodrift.report._page import report, write_report

__all__ = ["report", "write_report"]
