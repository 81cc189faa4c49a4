"""Labels keep their text, numbers are those of YAML 1.2."""

from __future__ import annotations

import pytest

from neurodrift.convert.own.mapping import mapping_schema
from neurodrift.schema.yaml import parse_yaml

WRITTEN = ["010", "007", "1e3", "5E3", "12:30", "1_2", "2024-05-03", "0x1F", "yes", "1.0", "-1"]


@pytest.mark.parametrize("text", WRITTEN)
def test_parse_yaml__labels_keep_their_text(text):
    mapping = f"subject: {{id: {text}}}\nsessions:\n  - session: {text}\n"
    mapping += f"registration: {{sessions: [{text}, {text}]}}\n"
    mapping += f"position: {{reader: sleap, options: {{track: {text}, min_score: 1e-1}}}}\n"
    values, _ = parse_yaml(mapping, "f", mapping_schema())
    assert str(values["subject"]["id"]) == text
    assert str(values["sessions"][0]["session"]) == text
    assert [str(item) for item in values["registration"]["sessions"]] == [text, text]
    assert values["position"]["options"] == {"track": text, "min_score": 0.1}


def test_parse_yaml__what_a_schema_wants_as_a_number_is_one():
    text = "position: {x: 2, y: 02, rate: 1e2, offset: 010, missing: -1.5}\nsessions: [{day: 1e1}]"
    values, _ = parse_yaml(text, "f", mapping_schema())
    expected = {"x": 2, "y": "02", "rate": 100, "offset": 10, "missing": -1.5}
    assert values == {"position": expected, "sessions": [{"day": 10}]}


def test_parse_yaml__numbers_without_a_schema():
    values, _ = parse_yaml(
        "[a: 1e5, b: 010, c: 12:30, d: 1_2, e: 0x10, f: .inf]"[1:-1].replace(", ", "\n"), "f"
    )
    assert values["a"] == 100_000 and isinstance(values["a"], int)
    assert (values["b"], values["c"], values["d"]) == (10, "12:30", "1_2")
    assert (values["e"], values["f"]) == (16, float("inf"))


def test_parse_yaml__nothing_is_no_label():
    values, _ = parse_yaml("subject: {id: }\nenvironment: ~\n", "f", mapping_schema())
    assert values == {"subject": {"id": None}, "environment": None}


LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(8)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LAUGHS, "more than 500,000 values once its aliases"),
        ("a: " + "[" * 5000 + "]" * 5000, "more than 100 levels"),
        ("".join("  " * i + "a:\n" for i in range(150)), "more than 100 levels"),
        ("a: &a [*a]", "alias .* that holds itself"),
        ("a: " + "x" * 5_000_000, "5,000,003 characters, at most 4,194,304"),
        ("n: " + "9" * 5000, "5,000 digits"),
        ("n: 0x" + "f" * 5000, "5,000 digits"),
    ],
)
def test_parse_yaml__bombs(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^bomb.*{message}"):
        parse_yaml(text, "bomb")


def test_parse_yaml__aliases() -> None:
    assert parse_yaml("a: &a {x: 1}\nb: *a", "example")[0] == {"a": {"x": 1}, "b": {"x": 1}}
