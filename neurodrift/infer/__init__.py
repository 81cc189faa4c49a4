"""Which learning rule drifts like this? Statistics of drift, a prior of rules, and honest doubt.

What was seen of an animal or of a network (``observation``) becomes one vector (``statistics``,
``measures``). Simulated networks, seen as the animal was, are a ``prior``; a ``classifier`` is
learnt from them, and :mod:`rule` says which of the rules the vector comes from, how sure that is,
or that it comes from none of them (``doubt``). :mod:`plan` says what a better recording would tell.
"""
