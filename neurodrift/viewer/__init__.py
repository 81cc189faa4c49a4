"""Cells, days, laps and pairs of sessions on a local page, and marks of what to leave out.

``cells`` gathers what there is to see, ``marks`` what is left out, ``turning`` what is chosen;
none of them knows a page. ``_figures`` draws with bokeh, ``_page`` lays it out with panel, and
``serve`` opens it.
"""
