"""Whether a recording was measured as it claims to be: do activity and position fit in time.

Which unit is which is a question for `neurodrift.analysis.identity`; here it is asked whether the
numbers of one session belong together at all.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submod_attrs={"lag": ["check_lag"]})
