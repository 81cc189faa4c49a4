"""Networks in training whose hidden layers are recordings.

Every kind (gradient, continual, hebbian, or one of your own) has settings, is trained by
:func:`simulate`, stored by :func:`save_run`, swept by :func:`run_sweep` into one store and opened
by :func:`open_sweep`. The public names stand in ``__init__.pyi``; each is loaded when it is used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
