"""Whether all of an NWB file lies in the file: what it points to elsewhere is not followed."""

from __future__ import annotations

import os
from typing import Any

from neurodrift.io.probe import refuse_damaged

_LARGE = 2**30  # bytes
_MOST_RATIO = 1100  # gzip packs at most 1032 to 1


class OutsideError(ValueError):
    """A file points to other files, or declares what it does not hold."""


def refuse_outside(path: str | os.PathLike[str]) -> None:
    """Refuse a file parts of which lie in other files.

    An external link, raw external storage or a virtual dataset can name any file of this machine,
    whose bytes would be read as positions. Links inside of the file are what NWB is made of.

    Parameters
    ----------
    path
        An NWB file.

    Raises
    ------
    DamagedFileError
        If it is no HDF5 file, or one that cannot be read.
    OutsideError
        If something lies in another file; all such places are named. Also if a dataset declares
        more than 1 GiB and holds less than what packs to it.
    """
    import h5py

    refuse_damaged(path)
    found: list[str] = []
    with h5py.File(path, "r") as file:
        groups, seen = [file["/"]], set()
        while groups:
            group = groups.pop()
            address = h5py.h5o.get_info(group.id).addr
            if address in seen:
                continue
            seen.add(address)
            for name in group:
                link = group.get(name, getlink=True)
                where = f"{group.name.rstrip('/')}/{name}"
                if isinstance(link, h5py.ExternalLink):
                    found.append(f"{where} is a link to {link.filename}:{link.path}")
                elif isinstance(link, h5py.HardLink):
                    item = group[name]
                    if isinstance(item, h5py.Group):
                        groups.append(item)
                    else:
                        found += _sources(item, where)
    if found:
        listed = "".join(f"\n- {one}" for one in found[:10])
        raise OutsideError(
            f"{path} points to other files, which are not opened:{listed}\nCopy what they hold "
            "into the file (h5repack or pynwb's export), or remove the links"
        )


def _sources(item: Any, where: str) -> list[str]:
    """Other files that a dataset takes its values from."""
    import h5py

    if not isinstance(item, h5py.Dataset):
        return []
    if item.external:
        return [f"{where} is stored in {', '.join(str(one[0]) for one in item.external)}"]
    size, stored = item.nbytes, item.id.get_storage_size()
    if size > _LARGE and size > _MOST_RATIO * stored and not item.is_virtual:
        raise OutsideError(
            f"{item.file.filename}: {where} declares shape {item.shape}, {size / 2**30:,.1f} GiB, "
            f"but holds {stored:,} bytes only: it would fill the memory with nothing"
        )
    if item.is_virtual:
        names = {one.file_name for one in item.virtual_sources()} - {"."}
        if names:
            return [f"{where} is put together of {', '.join(sorted(names))}"]
    return []
