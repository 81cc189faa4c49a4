"""What all pages share: one template round them, their style, their script, and no network."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from neurodrift._version import __version__
from neurodrift.report.data import script_json
from neurodrift.report.svg import LIGHT, chart_style
from neurodrift.report.words import number, plural


def rendered(template: str, scripts: Sequence[str], *, printed: bool, **content: Any) -> str:
    """A page from a template that extends ``frame.html.j2``.

    Parameters
    ----------
    template
        Its file among the templates.
    scripts
        Scripts of the page, in this order, in one scope.
    printed
        Whether it is for paper: drawings carry their own style, and there is no script.
    **content
        What the template names; ``title`` and ``methods`` with its ``references`` are needed.

    Returns
    -------
    str
        The page. Every text is escaped, and only the script that is in it may run.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("neurodrift.report")
    environment = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": number, "plural": plural}
    parts = [loader.get_source(environment, f"script/{name}.js")[0] for name in scripts]
    script = '"use strict";(() => {\n' + "\n".join(parts) + "})();"
    style, _, _ = loader.get_source(environment, "style.css")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return environment.get_template(template).render(
        **content,
        shared=script_json(_colours() | {"style": str(chart_style(LIGHT))}),
        script=Markup(script),
        script_hash=digest,
        style=Markup(style),
        chart_style=chart_style(),
        paper_style=chart_style(LIGHT) if printed else "",
        printed=printed,
        version=__version__,
    )


def _colours() -> dict[str, str]:
    """Colour-blind safe tables of colours for rates and for similarities."""
    from matplotlib import colormaps

    def packed(name: str) -> str:
        levels = np.round(255 * colormaps[name](np.linspace(0, 1, 128))[:, :3]).astype(np.uint8)
        return base64.b64encode(levels.tobytes()).decode()

    return {"rates": packed("viridis"), "similarities": packed("magma")}
