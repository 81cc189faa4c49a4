from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from neurodrift import schema, testing
from neurodrift.schema.json import STORED, description_faults, json_schema, write_json_schemas

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"


def test_json_schemas__are_in_step_with_the_tables(tmp_path):
    written = write_json_schemas(tmp_path)
    there = {path.name for path in SCHEMAS.iterdir() if path.is_file()}
    assert there == {path.name for path in written}
    for path in written:
        assert path.read_text() == (SCHEMAS / path.name).read_text(), (
            f"schemas/{path.name} is behind the table: python -m neurodrift.schema.json schemas/"
        )


def test_json_schemas__command(tmp_path):
    command = [sys.executable, "-W", "error", "-m", "neurodrift.schema.json", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert sorted(map(Path, done.stdout.split())) == sorted(tmp_path.iterdir())


@pytest.mark.parametrize("name", STORED)
def test_json_schema__is_one(name):
    made = json_schema(STORED[name], name)
    jsonschema.Draft202012Validator.check_schema(made)
    assert json.loads(json.dumps(made)) == made


def test_description_faults__of_a_recording_and_of_broken_ones():
    recording = testing.linear_track(n_units=2, n_sessions=2, minutes=0.2)
    assert description_faults(recording, schema.RECORDING) == []
    broken = {
        "data_vars: 'detected' is a required": recording.drop_vars("detected"),
        "attrs: 'format_version' is a required": recording.drop_attrs(deep=False),
        "attrs/format_version: 99 is greater": recording.assign_attrs(format_version=99),
        "attrs/format_version: '1' is not of": recording.assign_attrs(format_version="1"),
        "data_vars/activity/dims: .* was expected": recording.transpose("unit", ...),
        "coords/session/dtype: 'int64' does not match": recording.assign_coords(session=[1, 2]),
        "data_vars/x/attrs/units: 'cm' was expected": recording.assign(
            x=recording["x"].assign_attrs(units="m")
        ),
        "coords: 'subject' is a required": recording.reset_coords("subject"),
    }
    for message, dataset in broken.items():
        with pytest.raises(AssertionError, match=message):
            assert not "\n".join(description_faults(dataset, schema.RECORDING))


def test_description_faults__leading_dimensions_are_free():
    table = {"rate": schema.Var("rate", ("...", "unit", "position"), "float", "", "a map", True)}
    recording = testing.linear_track(n_units=2, n_sessions=1, minutes=0.2)
    ds = recording[["x"]].rename(x="rate", time="position").expand_dims(["session", "unit"])
    ds = ds.assign_attrs(format_version=2)
    assert description_faults(ds, table) == []
    assert description_faults(ds.isel(session=0), table) == []
    (fault,) = description_faults(ds.isel(unit=0), table)
    assert fault.startswith("data_vars/rate/dims: ['session', 'position'] does not contain")
