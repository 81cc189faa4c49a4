"""Recurrent networks that learn one task after the other, and the learners that keep old tasks."""
