"""Figure 3 for any cohort, against plain arrays."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import neurodrift as nd
from neurodrift.studies.report.normalized import BY_ANIMAL, PUBLISHED


def test_slopes__published_is_least_squares_over_first_sessions(mice):
    trees = mice(12)
    table = nd.tabulate_normalized_slopes(trees).set_index(["measure", "way"])
    x, y = [], []
    for tree in trees.values():
        node = tree["sessions"].to_dataset()
        value = node["fraction_place_cells"].values
        x.append(node["day"].values)
        y.append(value / value[0])
    fit = stats.linregress(np.concatenate(x), np.concatenate(y))
    own = table.loc[("fraction_place_cells", PUBLISHED)]
    assert np.isclose(own["slope"], fit.slope) and np.isclose(own["p"], fit.pvalue)
    assert own["n"] == 72 and own["n_recordings"] == 12


def test_slopes__by_animal_is_a_t_test_over_animals(mice):
    trees = mice(5, environments="AB")
    own = nd.tabulate_normalized_slopes(trees).set_index(["measure", "way"])
    own = own.loc[("information", BY_ANIMAL)]
    slopes = {}
    for name, tree in trees.items():
        node = tree["sessions"].to_dataset()
        value = node["information"].values
        slope = np.polyfit(node["day"].values, value / value.mean(), 1)[0]
        slopes.setdefault(name.split()[0], []).append(slope)
    values = np.array([np.mean(pair) for pair in slopes.values()])
    test = stats.ttest_1samp(values, 0)
    assert np.isclose(own["slope"], values.mean()) and np.isclose(own["p"], test.pvalue)
    assert (own["n"], own["unit"], own["n_recordings"]) == (5, "animal", 10)


def test_slopes__one_animal_has_its_sessions(mice):
    trees = mice(1)
    own = nd.tabulate_normalized_slopes(trees).set_index(["measure", "way"])
    own = own.loc[("information", BY_ANIMAL)]
    table = nd.tabulate_sessions(trees["m0 A"])
    fit = nd.regress(table, "information", "day", method="ar1", normalize="mean")
    assert np.isclose(own["p"], float(fit["p"].sel(term="day")))
    assert (own["n"], own["unit"]) == (6, "session")


def test_slopes__one_animal_of_two_environments_has_both(mice):
    trees = mice(1, environments="AB")
    own = nd.tabulate_normalized_slopes(trees).set_index(["measure", "way"])
    own = own.loc[("information", BY_ANIMAL)]
    fits = [
        nd.regress(nd.tabulate_sessions(tree), "information", "day", normalize="mean")
        for tree in trees.values()
    ]
    slopes, errors = ([float(fit[n].sel(term="day")) for fit in fits] for n in ("estimate", "se"))
    dof = min(float(fit["dof"].sel(term="day")) for fit in fits)
    assert slopes[0] != slopes[1] and np.isclose(own["slope"], np.mean(slopes))
    assert np.isclose(own["p"], 2 * stats.t.sf(abs(np.mean(slopes) / np.mean(errors)), dof))
    assert (own["n"], own["n_recordings"]) == (12, 2)


@pytest.mark.parametrize("n", [1, 9, 30])
def test_plot__any_number_of_animals(mice, n):
    figure = nd.plot_normalized_series(mice(n))
    left = figure.axes[0]
    thin = [line for line in left.lines if line.get_alpha() == 0.5 and len(line.get_xdata()) == 6]
    assert len(figure.axes) == 2 and len(thin) == 2 * n


def test_plot__a_row_for_each_data_set(mice):
    sets = {f"m{i}": "first" if i < 2 else "second" for i in range(3)}
    figure = nd.plot_normalized_series(mice(5), data_sets=sets)
    assert [ax.get_title(loc="left") for ax in figure.axes] == [
        f"{name}, {way}" for name in ("first", "second") for way in (PUBLISHED, BY_ANIMAL)
    ]


def test_plot__of_a_stored_study(mice, study_of):
    trees = mice(3)
    a = nd.tabulate_normalized_slopes(study_of(trees))
    assert a.equals(nd.tabulate_normalized_slopes(trees))


def test_plot__refuses_unknown_names_and_empty_cohorts(mice):
    with pytest.raises(ValueError, match="data_sets has 'x', which is no recording"):
        nd.plot_normalized_series(mice(2), data_sets={"x": "a"})
    with pytest.raises(ValueError, match="axis is 'week'"):
        nd.plot_normalized_series(mice(2), axis="week")
    with pytest.raises(ValueError, match="in two sessions along 'day'"):
        nd.plot_normalized_series(mice(2, day=np.zeros(1)))


def test_slopes__a_series_that_begins_with_zero_is_left_out(mice):
    trees = mice(3)
    trees["m0 A"]["sessions"]["fraction_place_cells"].values[0] = 0.0
    table = nd.tabulate_normalized_slopes(trees).set_index(["measure", "way"])
    assert table.at[("fraction_place_cells", PUBLISHED), "n_recordings"] == 2
    assert table.at[("fraction_place_cells", BY_ANIMAL), "n_recordings"] == 3
