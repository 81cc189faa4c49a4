"""A study, not a mouse: many recordings of many animals, asked the same questions.

The animal is the unit of inference. Cells, sessions and environments of an animal are not further
animals.
"""
