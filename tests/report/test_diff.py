"""How the tables of several studies become one."""

from types import SimpleNamespace
from typing import Any, cast

from lstm_study.report.diff import Side, _in_form, _joined, _objective, _union
from lstm_study.report.tables.table import Column, table


def _columns(names: str, **forms: str) -> list[Column]:
    return [Column(name, "", form=forms.get(name, "text")) for name in names]


def _side(label: str, *, objective: str = "validation_loss", **content: Any) -> Side:
    spec = SimpleNamespace(
        study=SimpleNamespace(objective=objective), hyperparameters=(), builder=""
    )
    return cast(Side, SimpleNamespace(label=label, content=SimpleNamespace(spec=spec, **content)))


def test_columns_that_the_first_lacks_follow_the_one_that_they_follow_elsewhere() -> None:
    for several, expected in (
        (("abc", "abc"), "abc"),
        (("ad", "abcd"), "abcd"),
        (("ac", "xa", "cz"), "xacz"),
        (("abc", "axc", "abyc"), "axbyc"),
        (("abcd", "ad", "acx"), "abcxd"),
        (("", "ab"), "ab"),
    ):
        found = _union([_columns(names) for names in several])
        assert "".join(each.name for each in found) == expected


def test_a_column_of_two_formats_holds_text_and_others_keep_theirs() -> None:
    first, second = _columns("ab", a="count", b="count"), _columns("ab", a="percent", b="count")
    found = _union([first, second])
    assert [(each.name, each.form) for each in found] == [("a", "text"), ("b", "count")]
    row = {"a": 0.25, "b": 3}
    assert _in_form(row, table("t", "", second, [row]), found) == {"a": "25.00%", "b": 3}
    empty = {"a": None, "b": 3}
    assert _in_form(empty, table("t", "", second, [empty]), found) == empty


def test_rows_of_all_studies_stand_below_each_other_with_their_study_first() -> None:
    sides = [
        _side(
            label, tables={"old": table("old", "", _columns(names), [dict.fromkeys(names, label)])}
        )
        for label, names in (("one", "ab"), ("two", "bc"))
    ]
    found = _joined(sides, "old", "new", "One row")
    assert (found.name, found.title) == ("new", "One row")
    assert [each.name for each in found.columns] == ["study", "a", "b", "c"]
    assert found.rows == (("one", "one", "one", None), ("two", None, "two", "two"))


def test_studies_have_an_objective_in_common_or_none() -> None:
    one, other = _side("one"), _side("other", objective="validation_auc")
    assert _objective([one, _side("two")]) == "validation_loss"
    assert _objective([one, other]) == ""
