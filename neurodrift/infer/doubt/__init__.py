"""Whether an answer may be believed: asked before a rule is named, and of runs not seen.

Whether a target is outside the prior, sets of rules that hold the truth as often as they say, how
well rules and parameters are told in held-out runs, the verdict that follows, and its sentences.
"""
