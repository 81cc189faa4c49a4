"""Results as one HTML page that needs no network."""

from __future__ import annotations

from neurodrift.report.page import report, write_report
from neurodrift.report.view import check_results

__all__ = ["check_results", "report", "write_report"]
