"""What a public function takes and gives is named by its type."""

from __future__ import annotations

import inspect
import re

import neurodrift as nd

ALLOWED = {("import_to_store", "options")}  # those of import_nwb, by name


def _public():
    for name in nd.__all__:
        found = getattr(nd, name)
        if callable(found) and not inspect.isclass(found):
            yield name, inspect.signature(found)


def test_signatures__name_their_types():
    wrong = set()
    for name, signature in _public():
        told = {key: item.annotation for key, item in signature.parameters.items()}
        told["return"] = signature.return_annotation
        for key, annotation in told.items():
            if annotation is inspect.Signature.empty or re.search(r"\bAny\b", str(annotation)):
                wrong.add((name, key))
    assert wrong == ALLOWED


def test_signatures__there_are_some():
    assert len(list(_public())) > 70
