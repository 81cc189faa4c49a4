"""Place fields followed: between sessions, and from lap to lap.

Fields are found by the room of maps; here they are matched, and their moves are measured.
"""
