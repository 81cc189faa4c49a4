"""An inference as a file: one page that needs no network."""

from __future__ import annotations

import os
from pathlib import Path

import xarray as xr

from neurodrift.infer.report.page import inference_page
from neurodrift.report.document import write_page
from neurodrift.schema.objects import path_of


def write_inference_report(
    inference: xr.DataTree,
    path: str | os.PathLike[str],
    *,
    title: str | None = None,
    overwrite: bool = False,
) -> Path:
    """Write an inference as one HTML page.

    Parameters
    ----------
    inference
        Result of :func:`neurodrift.infer_rule`.
    path
        The HTML file.
    title
        Heading; made from the target when omitted.
    overwrite
        Whether an existing report is replaced.

    Returns
    -------
    pathlib.Path
        `path`.

    Raises
    ------
    FileExistsError
        If `path` exists and `overwrite` is False, it is no report, or another command writes it.
    ValueError
        If it is no inference.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> import xarray as xr
    >>> import neurodrift as nd
    >>> value = np.random.default_rng(0).normal(size=(60, 3))
    >>> value[30:, 0] += 8
    >>> names = {"run": np.arange(60), "statistic": list("xyz")}
    >>> rule = ("run", np.repeat(["a", "b"], 30))
    >>> prior = xr.Dataset({"value": (("run", "statistic"), value)}, names | {"rule": rule})
    >>> found = nd.infer_rule(prior[["value"]].isel(run=35, drop=True), prior)
    >>> path = nd.write_inference_report(found, tempfile.mkdtemp() + "/rule.html")
    >>> "Most like b" in path.read_text()
    True
    """
    path = path_of("path", path)
    return write_page(lambda: inference_page(inference, title=title), path, overwrite=overwrite)
