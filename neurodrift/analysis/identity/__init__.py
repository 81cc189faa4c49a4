"""Whether units and maps are what they are called: registration, several maps, quality.

Look here before a change between sessions is called drift.
"""
