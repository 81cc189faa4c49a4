"""Which codecs a Zarr store may name: those that turn bytes into numbers or text, and no others.

A codec is looked up by what its name says once the metadata are decoded, so that no spelling of
``pickle`` gets by.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

METADATA = (".zarray", ".zmetadata", ".zgroup", ".zattrs", "zarr.json")
"""Names of the files that describe arrays and groups, of Zarr v2 and v3."""

MAX_METADATA = 64 * 2**20
"""Most bytes of such a file."""

_COMPRESSION = {"blosc", "bz2", "gzip", "lz4", "lzma", "zlib", "zstd"}
_CHECKSUMS = {"adler32", "crc32", "crc32c", "fletcher32", "jenkins_lookup3"}
_NUMBERS = {"astype", "bitround", "delta", "fixedscaleoffset", "packbits", "quantize", "shuffle"}
_TEXT = {"vlen-bytes", "vlen-utf8"}
_V3 = {"bytes", "sharding_indexed", "transpose"}
ALLOWED = _COMPRESSION | _CHECKSUMS | _NUMBERS | _TEXT | _V3
"""Codecs by their name; in Zarr v3 those of numcodecs are called ``numcodecs.NAME``."""


def refuse_codecs(content: bytes, where: str) -> None:
    r"""Refuse metadata that name a codec which is not allowed.

    Parameters
    ----------
    content
        Of one of the files of METADATA.
    where
        The file, for messages.

    Raises
    ------
    ValueError
        If a codec is not allowed, or the metadata are no JSON.

    Examples
    --------
    >>> from neurodrift.io.codecs import refuse_codecs
    >>> refuse_codecs(b'{"compressor": {"id": "blosc"}, "filters": null}', "S/.zarray")
    >>> try:
    ...     refuse_codecs(rb'{"compressor": {"id": "\u0070ickle"}}', "S/.zarray")
    ... except ValueError as error:
    ...     print(str(error)[:52])
    S/.zarray names the codec 'pickle', which is not rea
    """
    if len(content) > MAX_METADATA:
        raise ValueError(f"{where} has {len(content)} bytes, more than metadata of a store have")
    try:
        meta = json.loads(content)
        named = list(_named(meta))
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{where} cannot be read: {error}") from error
    for name in named:
        if not isinstance(name, str) or name.removeprefix("numcodecs.") not in ALLOWED:
            raise ValueError(
                f"{where} names the codec {name!r}, which is not read: it can run anything, or is "
                "not known to be safe. Save the array with zstd, blosc or gzip"
            )


def _named(meta: Any) -> Iterator[Any]:
    """Names of all codecs of an array, of the arrays of consolidated metadata, of shards."""
    if not isinstance(meta, dict):
        return
    for one in (meta.get("compressor"), *(meta.get("filters") or ())):
        if one is not None:
            yield one.get("id")
    for key in ("codecs", "index_codecs"):
        for one in meta.get(key) or ():
            if isinstance(one, dict):
                yield one.get("name")
                yield from _named(one.get("configuration"))
            else:
                yield one
    inner = meta.get("metadata")
    if isinstance(inner, dict):  # of .zmetadata
        for one in inner.values():
            yield from _named(one)
    consolidated = meta.get("consolidated_metadata")
    if isinstance(consolidated, dict):
        yield from _named(consolidated)
