"""Trends over sessions: tables of sessions and pairs, slopes with intervals.

Least squares, mixed models and slopes of each subject.
"""
