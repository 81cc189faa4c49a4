"""The page of a study: what stands on it, and that its numbers are those of the tree."""

from __future__ import annotations

import base64
import gzip
import io
import re

import numpy as np
import pandas as pd
import pytest

from neurodrift.cohort.sentences import fate_sentences, recorded_sentences
from neurodrift.studies.report.page import study_figures, study_page, study_tables

FACTORS = {f"m{i}": {"genotype": "wt" if i < 3 else "ko"} for i in range(6)}


@pytest.fixture(scope="module")
def view(mice, view_of, ways_of):
    trees = mice(6, environments="AB")
    return view_of(
        trees,
        ways_of(trees),
        {"m0 A": "animals/m0_A.html"},
        factors=FACTORS,
        questions=[
            "fraction_place_cells ~ day",
            "information ~ genotype * day",
            "decay of rate_map_correlation_relative ~ day",
        ],
        failed={"m9": "no position <b>"},
        warned={"m1 A": "a warning & more"},
    )


@pytest.fixture(scope="module")
def html(view):
    return study_page(view)


@pytest.fixture(scope="module")
def page(html, parse):
    return parse(html)


def _frame(html, identity):
    """Numbers behind a figure or a table, as they are downloaded."""
    found = re.search(
        rf'id="{identity}".*?<script type="application/gzip"[^>]*>([^<]*)<', html, re.S
    )
    text = gzip.decompress(base64.b64decode(found.group(1))).decode()
    return pd.read_csv(io.StringIO(text))


def test_page__is_well_formed(page):
    assert page.unbalanced == []
    ids = [element["id"] for element in page.elements if "id" in element]
    assert len(ids) == len(set(ids))
    levels = [int(e["tag"][1]) for e in page.elements if re.fullmatch(r"h[1-6]", e["tag"])]
    assert levels[0] == 1 and levels.count(1) == 1
    assert max(np.diff(levels)) <= 1, "a level of headings is left out"
    for link in page.all("a"):
        if link["href"].startswith("#"):
            assert link["href"][1:] in ids


def test_page__loads_nothing_and_links_to_the_animals(page):
    hrefs = [e["href"] for e in page.all("a")]
    other = [h for h in hrefs if not h.startswith(("#", "https://"))]
    assert set(other) == {"animals/m0_A.html"}
    assert not [e for e in page.elements if "src" in e]


def test_page__glance_counts_animals_recordings_groups(page):
    facts = dict(
        zip(
            [e["text"] for e in page.all("dt")],
            [e["text"] for e in page.all("dd")],
            strict=True,
        )
    )
    assert (facts["animals"], facts["recordings"], facts["sessions"]) == ("6", "12", "72")
    assert facts["animals in wt"] == facts["animals in ko"] == "3"
    assert facts["recordings that failed"] == "1"


def test_page__answers_are_the_sentences_of_the_cohort(view, page):
    told = " ".join(e["text"] for e in page.all("div", class_="finding"))
    for question in view.questions:
        for sentence in recorded_sentences(view.tree, question) + fate_sentences(
            view.tree, question
        ):
            assert sentence in told


def test_page__forest_has_the_numbers_of_the_tree(view, html):
    frame = _frame(html, "study-fig-answer-1-fraction_place_cells-day").set_index("what")
    own = view.answers.sel(question="fraction_place_cells ~ day")
    for variant in view.variants:
        for name in ("estimate", "ci_low", "ci_high", "p_holm"):
            value = float(own[name].sel(variant=variant))
            assert np.isclose(frame.at[variant, name], value, rtol=1e-8, equal_nan=True)
    by_group = _frame(html, "study-fig-answer-2-information-genotype-day").set_index("what")
    groups = view.tree["groups"].to_dataset()
    alone = (groups["group_variant"] == "raw") & (groups["group_other"] == "")
    values = groups["estimate"].values[alone.values & (groups["group_name"] == "ko").values]
    assert np.isclose(by_group.at["ko alone", "estimate"], values[0], rtol=1e-8)


def test_page__few_degrees_have_a_dagger(mice, view_of):
    few = study_page(view_of(mice(2)))
    many = study_page(view_of(mice(8)))
    assert "as recorded †" in few and "dot ink hollow" in few
    assert "as recorded †" not in many and "Fewer than 4 degrees" not in many


def test_page__animals_in_groups_with_their_series(view, html, page):
    ways = [e["text"] for e in page.all("p", class_="way")]
    assert ways[:2] == ["wt", "ko"]
    frame = _frame(html, "study-fig-animals-fraction-place-cells")
    sessions = view.tree["sessions"].to_dataset()
    assert np.allclose(
        frame["fraction_place_cells"], sessions["fraction_place_cells"].values, rtol=1e-8
    )
    slope = np.polyfit(frame["day"][:6], 100 * frame["fraction_place_cells"][:6], 1)[0]
    notes = [e["text"] for e in page.all("small")]
    assert any(text.startswith(f"{slope:.2g}".replace("-", "−")) for text in notes)


def test_page__cautions_failures_warnings_files(page):
    items = {e["data-code"]: e["text"] for e in page.all("li") if "data-code" in e}
    assert "no position <b>" in items["failed"]
    assert "a warning & more" in items["warned"]
    assert "x.nwb: passed over" in items["files"]


def test_page__methods_name_questions_and_settings(page):
    text = " ".join(e["text"] for e in page.all("blockquote"))
    assert (
        "“Spatial information of place cells over the days, by genotype”" in text
        and "track 0 to 96" in text
    )
    assert "Welch, 1947" in text and "{" not in text
    assert "6 ways" in text and "bin width (2 cm, 4 cm, 8 cm)" in text


def test_page__drift_is_that_of_the_recordings(mice, view_of):
    trees = mice(1)
    figure = next(f for f in study_figures(view_of(trees)) if f.name.startswith("drift"))
    own = trees["m0 A"]["session_drift"]["rate_map_correlation_relative"].values
    mean = figure.frame[figure.frame["what"] == "animal"].set_index("lag")["similarity"]
    assert np.isclose(mean[2.0], np.diagonal(own, offset=1).mean())
    assert list(mean.index) == [2, 4, 6, 8, 10]


def test_page__multiverse_only_where_there_is_one(view, html, mice, view_of):
    assert 'id="multiverse"' in html and "In 5 of 5 ways" in html
    without = study_page(view_of(mice(3)))
    assert 'id="multiverse"' not in without and "#multiverse" not in without


def test_page__same_study_same_bytes(view, html):
    assert study_page(view) == html


def test_page__one_animal(mice, view_of, parse):
    html = study_page(view_of(mice(1)))
    assert parse(html).unbalanced == []
    assert "within one animal" in html and "As Figure 3" in html


def test_page__a_group_of_one(mice, view_of, parse):
    factors = {f"m{i}": {"genotype": "ko" if i else "wt"} for i in range(4)}
    html = study_page(
        view_of(
            mice(4),
            factors=factors,
            questions=["information ~ day", "information ~ genotype * day"],
        )
    )
    assert parse(html).unbalanced == []
    assert "cannot be tested" in html


def test_page__intervention_is_marked(mice, view_of):
    html = study_page(view_of(mice(3), intervention=5.0, questions=["information ~ intervention"]))
    assert html.count("line slim accent dashed") == 3
    assert "from day 5 on" in html and "(lesion)" in html


def test_page__one_session_each(mice, view_of, parse):
    factors = {f"m{i}": {"genotype": "ko" if i % 2 else "wt"} for i in range(4)}
    trees = mice(4, day=np.zeros(1))
    html = study_page(view_of(trees, factors=factors, questions=["information ~ genotype"]))
    assert parse(html).unbalanced == []
    assert "As Figure 3" not in html


def test_page__hostile_names(mice, view_of, ways_of, hostile_text, parse):
    trees = {hostile_text: mice(1)["m0 A"], "m1": mice(2)["m1 A"]}
    trees[hostile_text].coords["subject"] = hostile_text
    ways = ways_of(trees, fault=hostile_text)
    html = study_page(
        view_of(
            trees,
            ways,
            title=hostile_text,
            factors={hostile_text: {"g": hostile_text}, "m1": {"g": "b"}},
            failed={f"{hostile_text}2": hostile_text},
            warned={"m1": hostile_text},
        )
    )
    page = parse(html)
    assert page.unbalanced == []
    assert page.all("img") == [] and not any("onerror" in e for e in page.elements)
    assert len([e for e in page.all("script") if "type" not in e]) == 1
    assert page.all("title")[0]["text"] == hostile_text


def test_page__hundred_animals_are_folded(mice, view_of):
    html = study_page(view_of(mice(100)))
    start = html.index('id="animals"')
    part = html[start : html.index('id="drift"')]
    assert part.index("<details") < part.index("<figure"), "the panels are not folded"
    assert len(html) < 2_500_000


def test_page__printed_has_no_script(view, parse):
    html = study_page(view, printed=True)
    page = parse(html)
    assert page.all("script", type=None) == [] and "<nav" not in html
    assert all("open" in e for e in page.all("details"))


def test_tables__are_whole(view):
    tables = {table.name: table.frame for table in study_tables(view)}
    assert list(tables) == ["answers", "animals", "groups", "recordings", "sessions", "ways"]
    assert len(tables["answers"]) == len(view.questions) * len(view.variants)
    assert len(tables["recordings"]) == 13 and len(tables["sessions"]) == 72
    assert len(tables["ways"]) == 6 and list(tables["ways"])[2] == "choice_bin_width"
