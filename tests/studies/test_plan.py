"""The file of a study: every key does what it says, and every fault has its line."""

from __future__ import annotations

import json

import numpy as np
import pytest

from neurodrift import Binning
from neurodrift.studies.plan import ANALYSIS, BINNING, load_plan, plan_schema

WHOLE = """\
study: Two groups
recordings:
  - path: [data/*.nwb, more/m9.zarr]
    import: {lag: 0.1, accept: [lag]}
    factors: {batch: 2}
    curation: out.yaml
    name: one
  - sweep: runs.zarr
    runs: [0, 2]
  - data_set: sheintuch2020
    source: raw
factors:
  genotype: {m1: wt, 010: ko}
intervention: {day: {m1: 5}, what: saline}
analysis:
  bin_width: 3
  track: [0, 96]
  speed_range: [2, .inf]
  match: none
  null: circular
  measures: [place_cells]
questions: [information ~ genotype * day, information ~ batch, information ~ intervention]
covariates: [running_speed]
multiverse:
  bin_width: [2, 4]
axis: experience
level: 0.9
correction: none
"""


@pytest.fixture
def load(tmp_path):
    def written(text):
        path = tmp_path / "study.yaml"
        path.write_text(text)
        return load_plan(path)

    return written


def test_load_plan__every_key(load, tmp_path):
    plan = load(WHOLE)
    assert (plan.title, plan.folder) == ("Two groups", tmp_path)
    files, sweep, data_set = plan.entries
    assert files.paths == ("data/*.nwb", "more/m9.zarr") and files.name == "one"
    assert files.options == {"lag": 0.1, "accept": ["lag"]}
    assert files.factors == {"batch": 2} and files.curation == "out.yaml"
    assert (sweep.sweep, sweep.runs) == ("runs.zarr", (0, 2))
    assert (data_set.data_set, data_set.source) == ("sheintuch2020", "raw")
    assert plan.factors == {"genotype": {"m1": "wt", "010": "ko"}}
    assert plan.intervention == {"day": {"m1": 5}, "what": "saline"}
    assert plan.binning == Binning(bin_width=3, track=(0, 96), speed_range=(2, np.inf))
    assert plan.options["match"] is None and plan.options["null"] == "circular"
    assert plan.options["measures"] == ["place_cells", "sessions", "drift", "regression"]
    assert len(plan.questions) == 3 and plan.covariates == ("running_speed",)
    assert plan.multiverse == {"bin_width": [2, 4]}
    assert (plan.axis, plan.level, plan.correction) == ("experience", 0.9, "none")


def test_load_plan__what_is_left_out(load):
    plan = load("recordings: [{path: a.zarr}]")
    assert plan.questions is None and plan.covariates is None and plan.multiverse is None
    assert (plan.axis, plan.level, plan.correction) == ("day", 0.95, "holm")
    assert plan.binning == Binning() and plan.options == {"binning": Binning()}


def test_load_plan__paths_are_relative_to_the_file(load, tmp_path, monkeypatch):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "study.yaml").write_text("recordings: [{path: a.zarr}]")
    monkeypatch.chdir(tmp_path)
    assert load_plan("sub/study.yaml").folder == tmp_path / "sub"
    assert load_plan({"recordings": [{"path": "a"}]}).folder == tmp_path
    assert load_plan({"recordings": [{"path": "a"}]}, folder="sub").folder == tmp_path / "sub"


def test_load_plan__settings_in_any_order_are_one_study(load):
    one = load("recordings: [{path: m.zarr}]\nanalysis: {n_repeats: 9, bin_width: 3}\n")
    other = load("recordings: [{path: m.zarr}]\nanalysis: {bin_width: 3, n_repeats: 9}\n")
    assert list(one.analysis.items()) == list(other.analysis.items())


def test_load_plan__settings_are_those_of_the_analysis():
    import inspect
    from dataclasses import fields

    from neurodrift import analyze

    options = set(inspect.signature(analyze).parameters)
    assert options - set(ANALYSIS) == {
        "recording", "binning", "bin_width", "curation", "cache", "progress"
    }  # fmt: skip
    assert {f.name for f in fields(Binning)} - set(BINNING) == {"unused_sessions", "edges"}
    assert not set(ANALYSIS) & set(BINNING)


ENTRY = "recordings: [{path: a.zarr}]\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("study: nothing", "'recordings' is a required"),
        ("recordings: []", "recordings"),
        ("recordings:\n  - name: x", "line 2.*expected one of path, sweep, data_set; it has none"),
        ("recordings:\n  - {path: a, sweep: b}", "line 2.*it has path and sweep"),
        ("recordings:\n  - path: a\n    runs: [1]", "line 3.*runs.*goes with sweep"),
        ("recordings:\n  - path: a\n    source: b", "line 3.*source.*goes with data_set"),
        ("recordings:\n  - path: a\n    import: {colour: 2}", "line 3.*import.colour.*unknown"),
        ("recordings:\n  - path: a\n    colour: 2", "colour"),
        ("recordings:\n  - path: a\n    factors: {day: [1]}", "line 3"),
        ("recordings:\n  - path: a\n    factors: {subject: x}", "line 3.*cannot be called subject"),
        (ENTRY + "factors: {state: {m1: x}}", "line 2.*cannot be called state"),
        (ENTRY + "recordngs: []", "recordngs"),
        (ENTRY + "analysis:\n  bin_widht: 2", "line 3.*bin_widht.*unknown setting"),
        (ENTRY + "analysis:\n  bin_width: -2", "line [23].*bin_width"),
        (ENTRY + "analysis:\n  alpha: 5", "line 3.*alpha is 5"),
        (ENTRY + "analysis:\n  match: some", "line 3.*match.*some"),
        (ENTRY + "analysis:\n  null: spped", "line 3.*null"),
        (ENTRY + "analysis:\n  combine: [any]", "line 3.*combine"),
        (ENTRY + "analysis:\n  measures: [speed]", "line 3.*measures"),
        (ENTRY + "analysis:\n  measures: drift", "line 3.*measures"),
        (ENTRY + "analysis:\n  smoothing: wide", "line 3.*smoothing"),
        (ENTRY + "analysis:\n  n_repeats: 2.5", "line 3.*n_repeats"),
        (ENTRY + "analysis:\n  seed: x", "line 3.*seed"),
        (ENTRY + "analysis:\n  criterion: 2024-05-03", "line 3.*criterion"),
        (ENTRY + "analysis:\n  track: [96, 0]", "line [23].*track"),
        (ENTRY + "analysis:\n  speed_range: [.nan, 2]", "line [23].*speed"),
        (ENTRY + "questions:\n  - information", "line 3.*questions.0..*cannot be read"),
        (ENTRY + "questions:\n  - information ~ genotpye", "line 3.*genotpye"),
        (ENTRY + "questions: [information ~ intervention]", "line 2.*say its day"),
        (ENTRY + "intervention: {what: saline}", "day"),
        (ENTRY + "axis: week", "week"),
        (ENTRY + "level: 95", "level"),
        (ENTRY + "correction: bonferroni", "correction"),
        (ENTRY + "multiverse: {}", "multiverse"),
        (ENTRY + ENTRY, "twice|already"),
        ("- a\n- b", "expected keys"),
        ("recordings: [", "is no YAML"),
        ("a: &a [*a]", "alias|is no YAML"),
        ("recordings: !!python/object/apply:os.system [echo]", "."),
        ("recordings: [{path: 'a'}]\nstudy: '  '", "study"),
    ],
)
def test_load_plan__faults_have_their_line(load, text, told):
    with pytest.raises(ValueError, match=f"(?s){told}"):
        load(text)


def test_load_plan__bombs_are_refused(load):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    with pytest.raises(ValueError, match="values once its aliases"):
        load("\n".join(lines))


def test_load_plan__all_faults_at_once(load):
    with pytest.raises(ValueError, match="(?s)alpha.*n_draws.*question"):
        load(ENTRY + "analysis: {alpha: 5, n_draws: 0}\nquestions: [nothing]")


def test_load_plan__no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="--init"):
        load_plan(tmp_path / "none.yaml")


def test_plan_schema__is_json():
    assert json.loads(json.dumps(plan_schema()))["required"] == ["recordings"]
