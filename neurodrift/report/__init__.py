"""Results as one HTML page that needs no network, as PDF, and as figures for a paper."""

from __future__ import annotations

from neurodrift.report.document import Report, write_report
from neurodrift.report.view import check_results

__all__ = ["Report", "check_results", "write_report"]
