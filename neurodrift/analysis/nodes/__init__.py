"""The nodes of an analysis: what each is, what it needs, how it is computed.

:func:`neurodrift.analyze`, its option ``measures``, the sentences on what was left out and the
table in the docs come from :data:`~neurodrift.analysis.nodes.table.NODES`. A new node is a function
in one of the files here, an entry in :mod:`~neurodrift.analysis.nodes.table`, and its variables in
:mod:`neurodrift.schema.results`. ``python -m neurodrift.analysis.nodes docs/nodes.md`` writes the
table; a test finds it in step.
"""
