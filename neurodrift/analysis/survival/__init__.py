"""How long units stay what they are: turnover, run lengths, time to loss, errors of the test.

A test that misses cells makes them turn over without any change, and units with fixed rates of
their own look as if they had a history. Both are taken out here.
"""
