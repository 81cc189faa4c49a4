"""Published data sets to NWB, one file a data set, named as in ``catalogs/``."""
