from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import neurodrift as nd
from neurodrift.analysis.series.trend import smallest_detectable
from neurodrift.schema.json import description_faults
from neurodrift.schema.results import POOLED
from neurodrift.testing import results_of

DAY = "information ~ day"


def answer(pooled, question=DAY, variant="raw"):
    return pooled["answers"].to_dataset().sel(question=question, variant=variant)


def values(pooled, question=DAY, variant="raw"):
    node = pooled["animals"].to_dataset()
    own = (node["animal_question"] == question) & (node["animal_variant"] == variant)
    return node.isel(animal=np.flatnonzero(own.values))


def left_out(pooled, question=DAY, variant="raw"):
    node = pooled["left_out"].to_dataset()
    own = (node["left_out_question"] == question) & (node["left_out_variant"] == variant)
    node = node.isel(left_out=np.flatnonzero(own.values))
    return dict(zip(node["recording"].values, node["reason"].values, strict=True))


# --- the animal is the unit


def test_pool_animals__is_students_t_over_animals_with_environments_nested(cohort, slope_of):
    trees = cohort(1, environments="AB", slope=0.02)
    pooled = nd.pool_animals(trees, questions=[DAY])
    each = [np.mean([slope_of(trees[f"m{i} {e}"]) for e in "AB"]) for i in range(5)]
    reference = stats.ttest_1samp(each, 0)
    found = answer(pooled)
    np.testing.assert_allclose(values(pooled)["value"], each)
    np.testing.assert_allclose(found["estimate"], np.mean(each))
    np.testing.assert_allclose(found["p"], reference.pvalue)
    interval = reference.confidence_interval(0.95)
    np.testing.assert_allclose([found["ci_low"], found["ci_high"]], interval)
    assert [found[n].item() for n in ("n_animals", "n_recordings", "dof")] == [5, 10, 4]
    assert not found["few_degrees"]
    assert found["basis"].item() == "between animals"


def test_pool_animals__an_environment_twice_is_no_second_animal(cohort):
    one = cohort(2, environments="A")
    both = nd.pool_animals(one | {f"{k} again": v for k, v in cohort(3).items()}, questions=[DAY])
    assert answer(both)["n_animals"] == 5
    assert answer(both)["dof"] == 4


def test_pool_animals__runs_of_a_simulation_count_one_by_one(recording):
    rng = np.random.default_rng(0)
    runs = {}
    for i in range(4):
        step = 1000.0 * np.arange(6)
        table = {"training_step": step, "information": 1e-5 * step + rng.normal(0, 0.01, 6)}
        runs[f"run {i}"] = results_of(table, subject="network", kind="activation")
    pooled = nd.pool_animals(runs, questions=["information ~ training_step"])
    assert answer(pooled, "information ~ training_step")["n_animals"] == 4


def test_pool_animals__order_of_recordings_does_not_matter(cohort):
    trees = cohort(4, environments="AB", slope=0.01)
    mixed = dict(reversed(list(trees.items())))
    names = ["estimate", "se", "p", "moved", "vif", "without_low"]
    one, two = (nd.pool_animals(t, questions=[DAY])["answers"].to_dataset() for t in (trees, mixed))
    for name in names:
        np.testing.assert_allclose(one[name], two[name], rtol=1e-7, err_msg=name)


def test_pool_animals__leaves_one_animal_out(cohort):
    trees = cohort(5)
    found, own = (f(nd.pool_animals(trees, questions=[DAY])) for f in (answer, values))
    each = own["value"].values
    without = [np.delete(each, j).mean() for j in range(5)]
    np.testing.assert_allclose(own["estimate_without"], without)
    np.testing.assert_allclose(found["without_low"], min(without))
    np.testing.assert_allclose(found["without_high"], max(without))


def test_pool_animals__counts_signs_and_relates_the_change_to_the_mean(cohort):
    trees = cohort(6, slope=0.004)
    pooled = nd.pool_animals(trees, questions=[DAY])
    found, each = answer(pooled), values(pooled)["value"].values
    assert found["n_same_sign"] == np.sum(np.sign(each) == np.sign(each.mean()))
    mean = np.mean([t["sessions"]["information"].mean() for t in trees.values()])
    np.testing.assert_allclose(found["relative"], each.mean() * 10 / mean)
    np.testing.assert_allclose(found["relative_ci_low"], found["ci_low"] * 10 / mean)


def test_pool_animals__standardized_is_the_mean_over_the_deviation_with_its_interval(cohort):
    pooled = nd.pool_animals(cohort(7, slope=0.02), questions=[DAY])
    found, each = answer(pooled), values(pooled)["value"].values
    d = each.mean() / each.std(ddof=1)
    np.testing.assert_allclose(found["standardized"], d)
    for end, share in (("ci_low", 0.975), ("ci_high", 0.025)):
        size = found[f"standardized_{end}"].item() * np.sqrt(5)
        np.testing.assert_allclose(stats.nct.cdf(d * np.sqrt(5), 4, size), share, atol=1e-6)


def test_pool_animals__one_animal_carries_the_effect():
    rng = np.random.default_rng(8)
    day = np.arange(6.0)
    slopes = [0.001, 0.0012, 0.0011, 0.0009, 0.009]
    trees = [
        results_of(
            {"day": day, "information": 1 + s * day + rng.normal(0, 1e-4, 6)}, subject=f"{i}"
        )
        for i, s in enumerate(slopes)
    ]
    pooled = nd.pool_animals(trees, questions=[DAY], level=0.7)
    assert answer(pooled)["carried_by"].item() == "4"
    notes = json.loads(pooled.attrs["notes"])
    assert any(n["code"] == "one-animal" and "without 4" in n["text"] for n in notes)


# --- factors


def test_pool_animals__two_groups_are_welchs_t(cohort, slope_of):
    trees = cohort(10, n=7)
    factors = {f"m{i}": {"genotype": "wt" if i < 3 else "ko"} for i in range(7)}
    question = "information ~ genotype * day"
    pooled = nd.pool_animals(trees, factors=factors, questions=[question])
    each = np.array([slope_of(trees[f"m{i} A"]) for i in range(7)])
    reference = stats.ttest_ind(each[3:], each[:3], equal_var=False)
    found = answer(pooled, question)
    np.testing.assert_allclose(found["p"], reference.pvalue)
    np.testing.assert_allclose(found["dof"], reference.df)
    assert found["contrast"].item() == "ko − wt"
    groups = pooled["groups"].to_dataset().isel(group=[0, 1])
    np.testing.assert_allclose(groups["estimate"], [each[:3].mean(), each[3:].mean()])
    assert np.isnan(found["n_same_sign"])


def test_pool_animals__levels_and_a_table_of_recordings(cohort):
    trees = cohort(11, n=6)
    table = pd.DataFrame({"genotype": ["ko", "ko", "ko", "wt", "wt", "wt"]}, index=list(trees))
    pooled = nd.pool_animals(trees, factors=table, questions=["information ~ genotype"])
    means = np.array([float(t["sessions"]["information"].mean()) for t in trees.values()])
    reference = stats.ttest_ind(means[3:], means[:3], equal_var=False)
    found = answer(pooled, "information ~ genotype")
    np.testing.assert_allclose(
        [found["estimate"], found["p"]], [means[3:].mean() - means[:3].mean(), reference.pvalue]
    )


def test_pool_animals__three_groups_by_f_and_in_pairs(cohort, slope_of):
    from statsmodels.stats.oneway import anova_oneway

    trees = cohort(12, n=9)
    factors = {f"m{i}": {"dose": "abc"[i % 3]} for i in range(9)}
    question = "information ~ dose * day"
    pooled = nd.pool_animals(trees, factors=factors, questions=[question])
    each = np.array([slope_of(t) for t in trees.values()])
    reference = anova_oneway([each[k::3] for k in range(3)], use_var="unequal")
    found = answer(pooled, question)
    np.testing.assert_allclose([found["f"], found["p"]], [reference.statistic, reference.pvalue])
    assert found["dof_above"] == 2
    assert np.isnan(found["estimate"])
    groups = pooled["groups"].to_dataset()
    raw = np.flatnonzero((groups["group_variant"] == "raw").values)
    pairs = groups.isel(group=raw[3:])
    assert list(zip(pairs["group_other"].values, pairs["group_name"].values, strict=True)) == [
        ("a", "b"),
        ("a", "c"),
        ("b", "c"),
    ]
    p = [
        stats.ttest_ind(each[j::3], each[i::3], equal_var=False).pvalue
        for i, j in ((0, 1), (0, 2), (1, 2))
    ]
    np.testing.assert_allclose(pairs["p"], p)
    assert (pairs["p_holm"] >= pairs["p"]).all()


def test_pool_animals__a_number_is_a_line_over_animals(cohort, slope_of):
    trees = cohort(13, n=6)
    age = [8.123456789, 8.12346, 8.1234, 8.125, 8.12, 8.13]
    factors = {f"m{i}": {"age": age[i]} for i in range(6)}
    pooled = nd.pool_animals(trees, factors=factors, questions=["information ~ age * day"])
    reference = stats.linregress(age, [slope_of(t) for t in trees.values()])
    found = answer(pooled, "information ~ age * day")
    np.testing.assert_allclose(found["estimate"], reference.slope)
    np.testing.assert_allclose(found["p"], reference.pvalue)
    assert found["unit"].item() == "bit/event/d/age"


@pytest.mark.parametrize(
    "question", ["information ~ environment * day", "information ~ environment"]
)
def test_pool_animals__a_factor_within_animals_is_paired(cohort, slope_of, question):
    trees = cohort(14, environments="AB")
    pooled = nd.pool_animals(trees, questions=[question])
    each = (
        slope_of
        if question.endswith("day")
        else lambda t: float(t["sessions"]["information"].mean())
    )
    a, b = ([each(trees[f"m{i} {e}"]) for i in range(5)] for e in "AB")
    reference = stats.ttest_rel(b, a)
    found = answer(pooled, question)
    np.testing.assert_allclose(found["estimate"], np.mean(b) - np.mean(a))
    np.testing.assert_allclose(found["p"], reference.pvalue)
    assert found["contrast"].item() == "B − A"


def test_pool_animals__a_factor_between_and_one_within_animals(cohort, slope_of):
    trees = cohort(15, n=6, environments="AB")
    factors = {f"m{i}": {"genotype": "wt" if i < 3 else "ko"} for i in range(6)}
    question = "information ~ genotype * environment * day"
    pooled = nd.pool_animals(trees, factors=factors, questions=[question])
    d = np.array([slope_of(trees[f"m{i} B"]) - slope_of(trees[f"m{i} A"]) for i in range(6)])
    reference = stats.ttest_ind(d[3:], d[:3], equal_var=False)
    np.testing.assert_allclose(answer(pooled, question)["p"], reference.pvalue)
    assert answer(pooled, question)["contrast"].item() == "ko − wt; B − A"


def test_pool_animals__one_animal_of_a_group_is_too_few(cohort):
    factors = {f"m{i}": {"genotype": "wt" if i else "ko"} for i in range(5)}
    question = "information ~ genotype * day"
    found = answer(nd.pool_animals(cohort(16), factors=factors, questions=[question]), question)
    assert found["verdict"].item() == "not testable"
    assert found["reason"].item() == "ko has one animal: a group needs two for an interval"


# --- designs


def test_pool_animals__an_intervention_is_after_less_before_also_beside_a_trend(cohort):
    trees = cohort(20)
    questions = ["information ~ intervention", "information ~ intervention given day"]
    pooled = nd.pool_animals(trees, questions=questions, intervention=6.0)
    day = 2.0 * np.arange(6)
    after = (day >= 6).astype(float)
    y = [t["sessions"]["information"].values for t in trees.values()]
    simple = [own[3:].mean() - own[:3].mean() for own in y]
    design = np.column_stack([np.ones(6), day, after])
    beside = [np.linalg.lstsq(design, own, rcond=None)[0][2] for own in y]
    for question, each in zip(questions, (simple, beside), strict=True):
        np.testing.assert_allclose(values(pooled, question)["value"], each)
        assert answer(pooled, question)["unit"].item() == "bit/event"


def test_pool_animals__an_intervention_by_animal_leaves_out_who_had_none(cohort):
    trees = cohort(21)
    question = "information ~ intervention"
    starts = {"m0": 4.0, "m1": 6.0, "m2": 8.0, "m3": 100.0}
    pooled = nd.pool_animals(trees, questions=[question], intervention=starts)
    assert answer(pooled, question)["n_animals"] == 3
    told = left_out(pooled, question)
    assert "both sides of the intervention" in told["m3 A"]
    assert told["m4 A"] == "it is not known when the intervention was"
    with pytest.raises(ValueError, match="give intervention="):
        nd.pool_animals(trees, questions=[question])


def test_pool_animals__decay_is_the_slope_over_pairs_of_sessions(cohort):
    trees = cohort(22)
    question = "decay of rate_map_correlation_relative ~ day"
    pooled = nd.pool_animals(trees, questions=[question])
    first, second = np.triu_indices(6, k=1)
    each = [
        np.polyfit(
            2.0 * (second - first),
            t["session_drift"]["rate_map_correlation_relative"].values[first, second],
            1,
        )[0]
        for t in trees.values()
    ]
    np.testing.assert_allclose(values(pooled, question)["value"], each)
    assert answer(pooled, question)["n_observations"] == 5 * 15
    assert answer(pooled, question, "mixed")["verdict"].item() == "not testable"


# --- covariates


def test_pool_animals__speed_alone_vanishes_when_it_is_held(cohort):
    trees = cohort(30, n=6, environments="AB", spread=0.002, speed=0.4, by_speed=0.05)
    pooled = nd.pool_animals(trees, questions=[DAY])
    raw, given = answer(pooled), answer(pooled, variant="given running_speed")
    assert raw["verdict"].item() == "rises"
    assert given["p"] > 0.05
    assert given["moved_ci_low"] > 0
    node = pooled["covariates"].to_dataset()
    own = (node["covariate_variant"] == "given running_speed").values
    np.testing.assert_allclose(node["coefficient"].values[own], 0.05, atol=0.015)
    assert nd.tabulate_answers(pooled)["variant"].tolist() == [
        "raw",
        "matched",
        "given running_speed",
        "given events_per_unit",
        "given running_time",
        "given all",
        "mixed",
    ]


def test_pool_animals__given_a_covariate_is_one_regression_with_lines_of_all(cohort):
    trees = cohort(37, n=4, environments="AB", speed=0.3, by_speed=0.05, slope=0.01)
    tables = [t["sessions"].to_dataset() for t in trees.values()]
    n = len(tables)
    design = np.zeros((6 * n, 2 * n + 1))
    for i, table in enumerate(tables):
        design[6 * i : 6 * i + 6, 2 * i] = 1
        design[6 * i : 6 * i + 6, 2 * i + 1] = table["day"]
        design[6 * i : 6 * i + 6, -1] = table["running_speed"]
    y = np.concatenate([table["information"] for table in tables])
    found = np.linalg.lstsq(design, y, rcond=None)[0]
    each = found[1 : 2 * n : 2].reshape(4, 2).mean(axis=1)
    pooled = nd.pool_animals(trees, questions=[DAY])
    variant = "given running_speed"
    np.testing.assert_allclose(values(pooled, variant=variant)["value"], each, rtol=1e-6)
    np.testing.assert_allclose(answer(pooled, variant=variant)["estimate"], each.mean(), rtol=1e-6)
    node = pooled["covariates"].to_dataset()
    own = (node["covariate_variant"] == variant).values
    np.testing.assert_allclose(node["coefficient"].values[own], found[-1], rtol=1e-6)


def test_pool_animals__a_level_is_that_at_the_mean_of_the_covariate(cohort):
    trees = cohort(31, n=6, by_speed=0.05)
    factors = {f"m{i}": {"genotype": "wt" if i < 3 else "ko"} for i in range(6)}
    pooled = nd.pool_animals(trees, factors=factors, questions=["information ~ genotype"])
    groups = pooled["groups"].to_dataset()
    given = groups.isel(group=(groups["group_variant"] == "given running_speed").values)
    assert (np.abs(given["estimate"] - 1) < 0.1).all()


def test_pool_animals__a_covariate_that_is_time_has_no_answer(cohort):
    trees = cohort(32)
    for tree in trees.values():
        tree["sessions"] = (
            tree["sessions"].to_dataset().assign(running_speed=lambda t: 3 * t["day"] + 1)
        )
    found = answer(nd.pool_animals(trees, questions=[DAY]), variant="given running_speed")
    assert np.isnan(found["estimate"])
    assert "cannot be told apart" in found["reason"].item()


def test_pool_animals__nearly_time_is_told_as_collinear(cohort):
    trees = cohort(33, speed=2.0)
    pooled = nd.pool_animals(trees, questions=[DAY])
    found = answer(pooled, variant="given running_speed")
    assert found["vif"] > 10
    assert found["widening"] > 1
    assert any(n["code"] == "collinear" for n in json.loads(pooled.attrs["notes"]))


def test_pool_animals__no_degree_of_freedom_is_a_reason(cohort):
    trees = cohort(34, day=np.array([0.0, 2.0]))
    pooled = nd.pool_animals(trees, questions=[DAY])
    assert np.isfinite(answer(pooled)["p"])
    told = answer(pooled, variant="given running_speed")["reason"].item()
    assert told == "0 degrees of freedom are left for running_speed: more sessions are needed"


def test_pool_animals__on_an_equal_footing_are_the_matched_columns(cohort, slope_of):
    trees = cohort(35)
    for tree in trees.values():
        sessions = tree["sessions"].to_dataset()
        half = sessions["information"] * 0.5
        tree["sessions"] = sessions.assign(information_matched=half)
        tree["matched"] = sessions[[]].assign_attrs(n_units=40)
    pooled = nd.pool_animals(trees, questions=[DAY])
    each = [slope_of(t, "information_matched") for t in trees.values()]
    np.testing.assert_allclose(values(pooled, variant="matched")["value"], each)
    found = answer(pooled, variant="matched")
    taken = stats.ttest_1samp(each, 0).confidence_interval(0.95)  # the other half
    np.testing.assert_allclose(found["moved"], np.mean(each))
    np.testing.assert_allclose([found["moved_ci_low"], found["moved_ci_high"]], taken)
    plain = answer(nd.pool_animals(cohort(35), questions=[DAY]), variant="matched")
    assert plain["reason"].item() == "it was not put on an equal footing"


# --- what is missing


def test_pool_animals__says_who_is_left_out_and_why(cohort, recording):
    rng = np.random.default_rng(0)
    trees = cohort(40, n=3)
    trees["short"] = recording(rng, subject="short", day=np.array([0.0]))
    trees["same day"] = recording(rng, subject="same day", day=np.array([1.0, 1.0]))
    trees["other"] = results_of({"day": np.arange(3.0), "loss": np.ones(3)}, subject="other")
    trees["no day"] = results_of({"information": np.arange(3.0)}, subject="no day")
    pooled = nd.pool_animals(trees, questions=[DAY])
    assert left_out(pooled) == {
        "short": "1 session for 2 coefficients",
        "same day": "day is the same in all its sessions",
        "other": "it has no information",
        "no day": "it has no day",
    }
    assert answer(pooled)["n_left_out"] == 4
    assert answer(pooled)["n_animals"] == 3
    assert "left-out" in {n["code"] for n in json.loads(pooled.attrs["notes"])}


def test_pool_animals__an_unknown_factor_leaves_the_animal_out(cohort):
    factors = {f"m{i}": {"genotype": [None, "wt", "wt", "ko", "ko"][i]} for i in range(5)}
    question = "information ~ genotype * day"
    pooled = nd.pool_animals(cohort(45), factors=factors, questions=[question])
    assert left_out(pooled, question) == {"m0 A": "its genotype is not known"}
    assert answer(pooled, question)["n_animals"] == 4


def test_pool_animals__an_animal_in_one_environment_is_left_out_of_pairs(cohort):
    trees = cohort(46, environments="AB")
    del trees["m0 B"]
    question = "information ~ environment * day"
    pooled = nd.pool_animals(trees, questions=[question])
    assert left_out(pooled, question) == {"m0 A": "its animal has one environment only"}
    assert answer(pooled, question)["n_animals"] == 4
    three = {f"{k} C": v for k, v in cohort(47, environments="C").items()}
    pooled = nd.pool_animals(trees | three, questions=[question])
    assert "two are compared" in answer(pooled, question)["reason"].item()


def test_pool_animals__missing_values_and_uneven_days_are_least_squares_of_the_rest(cohort):
    trees = cohort(41)
    day, y = np.array([0.0, 1, 5, 6, 20, 30]), []
    for k, tree in enumerate(trees.values()):
        sessions = tree["sessions"].to_dataset().assign(day=("session", day))
        values_ = sessions["information"].values.copy()
        values_[k] = np.nan
        tree["sessions"] = sessions.assign(information=("session", values_))
        y.append(values_)
    pooled = nd.pool_animals(trees, questions=[DAY])
    known = [np.isfinite(own) for own in y]
    each = [np.polyfit(day[k], own[k], 1)[0] for own, k in zip(y, known, strict=True)]
    np.testing.assert_allclose(values(pooled)["value"], each)
    assert answer(pooled)["n_observations"] == 25


def test_pool_animals__one_animal_is_within_itself(cohort):
    from neurodrift.analysis.regression.regression import regress

    trees = cohort(42, n=1)
    pooled = nd.pool_animals(trees, questions=[DAY])
    found = answer(pooled)
    reference = regress(trees["m0 A"], "information", "day").sel(term="day")
    assert found["basis"].item() == "within one animal"
    np.testing.assert_allclose(found["estimate"], reference["estimate"])
    np.testing.assert_allclose(found["p"], reference["p"])
    given = answer(pooled, variant="given running_speed")
    reference = regress(trees["m0 A"], "information", "day", covariates=["running_speed"])
    np.testing.assert_allclose(given["estimate"], reference["estimate"].sel(term="day"))


def test_pool_animals__decay_of_one_animal_is_by_its_sessions(cohort):
    question = "decay of rate_map_correlation_relative ~ day"
    trees = cohort(43, n=1)
    found = answer(nd.pool_animals(trees, questions=[question]), question)
    matrix = trees["m0 A"]["session_drift"]["rate_map_correlation_relative"].values

    def slope(kept):
        pairs = [(i, j) for i in kept for j in kept if j > i]
        return np.polyfit([2.0 * (j - i) for i, j in pairs], [matrix[p] for p in pairs], 1)[0]

    without = np.array([slope([k for k in range(6) if k != s]) for s in range(6)])
    se = np.sqrt(5 / 6 * ((without - without.mean()) ** 2).sum())
    np.testing.assert_allclose([found["estimate"], found["se"]], [slope(range(6)), se])
    assert found["dof"] == 4


def test_pool_animals__mixed_is_regress_with_a_level_of_each_recording(cohort):
    from neurodrift.analysis.regression.regression import regress

    trees = cohort(44, environments="AB", slope=0.01)
    found = answer(nd.pool_animals(trees, questions=[DAY]), variant="mixed")
    rows = [nd.tabulate_sessions(tree).assign(recording=name) for name, tree in trees.items()]
    reference = regress(
        pd.concat(rows, ignore_index=True),
        "information",
        "day",
        method="mixed",
        subject="recording",
    ).sel(term="day")
    np.testing.assert_allclose(found["estimate"], reference["estimate"])
    np.testing.assert_allclose([found["se"], found["p"]], [reference["se"], reference["p"]])
    assert found["basis"].item() == "assumes one slope for all"


# --- the result


def test_pool_animals__holm_over_the_questions_of_a_variant(cohort):
    from statsmodels.stats.multitest import multipletests

    questions = [DAY, "fraction_place_cells ~ day", "running_speed ~ day"]
    trees = cohort(50, slope=0.005)
    pooled = nd.pool_animals(trees, questions=questions)
    node = pooled["answers"].to_dataset().sel(variant="raw")
    np.testing.assert_allclose(node["p_holm"], multipletests(node["p"], method="holm")[1])
    plain = nd.pool_animals(trees, questions=questions, correction="none")["answers"]
    np.testing.assert_allclose(plain["p_holm"], plain["p"])


def test_pool_animals__follows_its_schema_and_is_the_same_from_disk(cohort, tmp_path):
    trees = cohort(51, n=4, environments="AB")
    factors = {f"m{i}": {"genotype": "wt" if i < 2 else "ko", "age": i + 1} for i in range(4)}
    pooled = nd.pool_animals(trees, factors=factors)
    assert set(pooled.children) == set(POOLED)
    for name, node in pooled.children.items():
        stored = node.to_dataset().assign_attrs(format_version=pooled.attrs["format_version"])
        assert not description_faults(stored, POOLED[name]), name
    opened = nd.open_results(nd.save_results(pooled, tmp_path / "study.zarr"))
    pd.testing.assert_frame_equal(nd.tabulate_answers(opened), nd.tabulate_answers(pooled))
    assert nd.describe_answers(opened) == nd.describe_answers(pooled)


def test_pool_animals__nothing_left_out_can_be_stored_too(recording, tmp_path):
    rng = np.random.default_rng(1)
    tree = recording(rng)
    pooled = nd.pool_animals(tree, questions=[DAY], covariates=[])
    nd.save_results(pooled, tmp_path / "study.zarr")


@pytest.mark.parametrize(
    ("options", "error", "told"),
    [
        ({"factors": {"m9": {"genotype": "wt"}}}, ValueError, "'m9', which is no recording"),
        ({"factors": ["wt"]}, TypeError, "expected a table indexed by recording or animal"),
        ({"factors": {"m0": {"day": 1}}}, ValueError, "a term of questions"),
        ({"covariates": ["speed"]}, ValueError, "no recording has the covariate 'speed'"),
        ({"covariates": "running_speed"}, TypeError, "expected a list of names"),
        ({"axis": "days"}, ValueError, "axis is 'days'"),
        ({"correction": "fdr"}, ValueError, "correction is 'fdr'"),
        ({"level": 95}, ValueError, "level is 95"),
        ({"intervention": {"m9": 1.0}}, ValueError, "'m9', which is no recording"),
    ],
)
def test_pool_animals__bad_input(cohort, options, error, told):
    with pytest.raises(error, match=told):
        nd.pool_animals(cohort(60, n=2), **{"questions": [DAY], **options})


def test_pool_animals__two_factors_between_animals(cohort):
    factors = {f"m{i}": {"genotype": "ab"[i % 2], "sex": "fm"[i // 2]} for i in range(4)}
    with pytest.raises(ValueError, match="both differ between animals"):
        nd.pool_animals(
            cohort(61, n=4), factors=factors, questions=["information ~ genotype * sex * day"]
        )


def test_tabulate_answers__something_else(cohort):
    with pytest.raises(TypeError, match="no node 'answers'"):
        nd.tabulate_answers(cohort(62, n=1)["m0 A"])


def test_pool_animals__the_smallest_effect_is_corrected_as_the_verdict_is():
    rng = np.random.default_rng(7)
    day = np.arange(6.0)
    mice = {
        f"m{i}": nd.testing.results_of(
            {
                "day": day,
                "information": 1 + (0.05 + 0.02 * rng.normal()) * day,
                "active_fraction": 0.5 + 0.05 * rng.normal(size=6),
                "fraction_place_cells": 0.5 + 0.05 * rng.normal(size=6),
            },
            subject=f"m{i}",
        )
        for i in range(4)
    }
    asked = [f"{name} ~ day" for name in ("information", "active_fraction", "fraction_place_cells")]
    one = {
        correction: nd.pool_animals(mice, questions=asked, correction=correction)["answers"].sel(
            question=asked[0], variant="raw"
        )
        for correction in ("holm", "none")
    }
    for found, level in ((one["none"], 0.95), (one["holm"], 1 - 0.05 / 3)):
        se, dof = float(found["se"]), float(found["dof"])
        assert float(found["detectable"]) == pytest.approx(smallest_detectable(se, dof, level))
    assert float(one["holm"]["detectable"]) > float(one["none"]["detectable"])
    alone = nd.pool_animals(mice, questions=asked[:1])["answers"].sel(variant="raw")
    assert float(alone["detectable"].item()) == pytest.approx(float(one["none"]["detectable"]))
