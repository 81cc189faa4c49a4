"""Networks in training whose hidden layers are recordings.

Every kind (gradient, continual, hebbian, or one of your own) has settings, is trained by
:func:`simulate`, swept by :func:`run_sweep` and opened by :func:`open_sweep`.
"""
