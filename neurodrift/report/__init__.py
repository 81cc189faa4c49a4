"""Results as one HTML page that needs no network."""

from __future__ import annotations

from neurodrift.report._page import report, write_report
from neurodrift.report._view import check_results

__all__ = ["check_results", "report", "write_report"]
