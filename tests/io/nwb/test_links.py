"""NWB files that point to other files."""

import h5py
import numpy as np
import pytest

from neurodrift import import_nwb, testing
from neurodrift.cli import main
from neurodrift.io.nwb.session import session_from_recording
from neurodrift.io.nwb.write import write_session


@pytest.fixture
def path(tmp_path):
    recording = testing.linear_track(n_units=3, n_sessions=1, minutes=1)
    return write_session(session_from_recording(recording, "1"), tmp_path / "s.nwb")


def position_of(file):
    found = []
    file.visit(lambda name: found.append(name) if name.endswith("position/data") else None)
    return found[0]


def external_link(file, name, other):
    del file[name]
    file[name] = h5py.ExternalLink(str(other), "/x")


def raw_storage(file, name, other):
    n = len(file[name])
    del file[name]
    file.create_dataset(name, (n,), "f8", external=[(str(other), 0, 8 * n)])


def virtual(file, name, other):
    n = len(file[name])
    del file[name]
    layout = h5py.VirtualLayout((n,), "f8")
    layout[:] = h5py.VirtualSource(str(other), "x", (n,))
    file.create_virtual_dataset(name, layout)


@pytest.mark.parametrize("point", [external_link, raw_storage, virtual])
def test_import_nwb__points_to_another_file(path, tmp_path, point, capsys):
    before = import_nwb(path)
    other = tmp_path / "secret.h5"
    with h5py.File(other, "w") as file:
        file["x"] = np.linspace(0, 100, before.sizes["time"])
    with h5py.File(path, "r+") as file:
        name = position_of(file)
        attributes = dict(file[name].attrs)
        point(file, name, other)
        if point is not external_link:
            file[name].attrs.update(attributes)
    with pytest.raises(ValueError, match=r"points to other files, .*(?s:.)*secret\.h5"):
        import_nwb(path)
    assert main(["inspect", str(path)]) == 2
    assert "secret.h5" in capsys.readouterr().err


def test_import_nwb__links_inside_are_followed(path):
    before = import_nwb(path)
    with h5py.File(path, "r+") as file:
        name = position_of(file)
        file["scratch_copy"] = file[name]
        file["again"] = h5py.SoftLink(f"/{name}")
    assert import_nwb(path).equals(before)


def test_import_nwb__declares_what_it_does_not_hold(path):
    with h5py.File(path, "r+") as file:
        name = position_of(file)
        attributes = dict(file[name].attrs)
        del file[name]
        file.create_dataset(name, (1_000_000_000,), "f8", chunks=(1_000_000,))
        file[name].attrs.update(attributes)
    with pytest.raises(ValueError, match=r"position/data declares shape .* 7.5 GiB, but holds 0"):
        import_nwb(path)
