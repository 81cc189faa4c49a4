"""How a refusal says what may be accepted, in Python and at the command line."""

from __future__ import annotations

import pytest

from neurodrift.gate.findings import Finding, at_the_command_line, settle


def test_settle__speaks_python_and_the_command_line_translates():
    found = [Finding(name, f"{name} is odd", True, True) for name in ("speed", "axes")]
    with pytest.raises(ValueError, match="does not pass the gate") as caught:
        settle(found, "session 1")
    said = str(caught.value)
    assert "accept=['axes', 'speed'] (in a mapping, accept: [axes, speed])" in said
    assert "--accept" not in said
    told = at_the_command_line(said)
    assert "--accept axes speed (in a mapping" in told and "accept=" not in told
    assert at_the_command_line("accept=[] is empty") == "accept=[] is empty"
