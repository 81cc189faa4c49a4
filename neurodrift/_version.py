"""The version of the package, which every stored artefact names."""

__version__ = "0.1.0"
