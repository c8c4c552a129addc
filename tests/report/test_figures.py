"""Tests of what figures draw: ticks, labels, fronts and arms, never pixels."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from lstm_study.analysis.answer.verdict import judge
from lstm_study.report.content import Content, gather, illustrate
from lstm_study.report.figures import arms, corpus, search, space
from lstm_study.report.figures.style import main_arms
from lstm_study.report.page.html import render
from lstm_study.report.tables.table import Column, Table, table
from tests.support.fake_open_study import opened_study
from tests.support.report_page import parse

ContentOf = Callable[[str], Content]


def _opened(**settings: object) -> Content:
    records = replace(opened_study(), **settings)  # type: ignore[arg-type]
    return gather(
        records, verdict=judge(records), made_at="2025-03-02T10:00:00.000Z", versions={},
        git_commit="", bundle=None,
    )  # fmt: skip


def _arms(*rows: tuple[str, float, float, int, float]) -> Table:
    """Builds a table of arms: name, accuracy, seconds of training, parameters, of prediction."""
    names = ("arm", "test_accuracy_mean", "training_seconds_mean", "parameter_count",
             "predict_1000_seconds")  # fmt: skip
    columns = tuple(Column(name, "-") for name in names)
    return table("comparison", "-", columns, [dict(zip(names, row, strict=True)) for row in rows])


COSTS = _arms(
    ("baseline", 0.80, 90.0, 50, 0.9),
    ("winner", 0.90, 50.0, 40, 0.5),
    ("baseline-masked", 0.81, 80.0, 50, 0.9),
    ("baseline-own-epoch", 0.82, 70.0, 50, 0.9),
    ("winner-last-three", 0.92, 50.0, 40, 0.5),
    ("baseline-recipe", 0.85, 60.0, 50, 0.9),
    ("runner-up-1", 0.91, 20.0, 30, 0.4),
    ("runner-up-2", 0.89, 30.0, 45, 0.6),
    ("control", 0.95, 5.0, 10, 0.1),
    ("ensemble", 0.93, 300.0, 240, 3.0),
)


def test_of_many_arms_those_are_drawn_that_the_answer_speaks_of() -> None:
    many = [str(arm) for arm in COSTS.column("arm")]
    assert main_arms(many) == ["baseline", "winner", "baseline-recipe", "control", "ensemble"]
    many.remove("baseline-recipe")
    assert main_arms(many) == ["baseline", "winner", "baseline-masked", "control", "ensemble"]
    assert main_arms(many[:4]) == many[:4]


def test_the_fronts_of_all_arms_and_of_the_networks_are_drawn_with_the_arms_on_them() -> None:
    picture = arms.arms_cost(COSTS)
    assert picture is not None
    assert picture.leaves_out
    figure = picture.figure()
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "Pareto front", "Pareto front of the networks", "baseline", "winner", "winner-last-three",
        "baseline-recipe", "runner-up-1", "control", "ensemble",
    ]  # fmt: skip
    lines = [line for line in figure.axes[0].lines if line.get_drawstyle() == "steps-post"]
    drawn = [[list(line.get_xdata()), list(line.get_ydata())] for line in lines]
    assert drawn == [
        [[5.0], [0.95]],
        [[20.0, 50.0, 300.0], [0.91, 0.92, 0.93]],
    ]


def test_without_a_control_there_is_one_front_and_no_arm_is_left_out_of_few() -> None:
    picture = arms.arms_cost(replace(COSTS, rows=COSTS.rows[:3]))
    assert picture is not None
    assert not picture.leaves_out
    (legend,) = picture.figure().legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "Pareto front", "baseline", "winner", "baseline-masked",
    ]  # fmt: skip


def test_marks_of_arms_differ_without_colour() -> None:
    picture = arms.arms_cost(COSTS)
    assert picture is not None
    marks = {
        line.get_label(): (line.get_marker(), line.get_markerfacecolor() == "none")
        for line in picture.figure().axes[0].lines
        if line.get_label() in COSTS.column("arm")
    }
    assert len(marks) == len(set(marks.values())) == 7


def test_an_arm_without_runs_of_its_own_and_one_with_a_single_run_have_their_accuracy(
    content: ContentOf,
) -> None:
    made = content("compared")
    picture = arms.seeds(made.tables["runs"], made.tables["comparison"])
    assert picture is not None
    axes = picture.figure().axes[0]
    rows = [text.get_text() for text in axes.get_yticklabels()]
    assert {"control", "ensemble"} <= set(rows)
    told = {text.get_text() for text in axes.texts}
    for row in made.tables["comparison"].records():
        if row["arm"] in ("control", "ensemble"):
            assert f"{100 * float(row['test_accuracy_mean'] or 0):.2f}%" in told
    rings = [line for line in axes.lines if line.get_marker() == "o"]
    assert [list(line.get_ydata()) for line in rings] == [[rows.index("ensemble")]]


def test_an_axis_of_words_has_those_that_are_searched() -> None:
    made = _opened()
    picture = space.slices(made.tables["slices"], made.spec)
    assert picture is not None
    (axes,) = (each for each in picture.figure().axes if each.get_title(loc="left") == "pooling")
    words = [text.get_text() for text in axes.get_xticklabels()]
    assert words == ["last", "max", "all"]  # and not "mean", the word between the first two
    points = made.tables["slices"].frame().query("hyperparameter == 'pooling'")
    drawn = [place for dots in axes.collections for place in dots.get_offsets()[:, 0]]
    assert sorted(drawn) == sorted(words.index(word) for word in points["value"])


@pytest.mark.parametrize(
    ("low", "high", "step", "marks"),
    [
        (7e-4, 3e-3, None, [0.0007, 0.001, 0.002, 0.003]),
        (1e-5, 1e-3, None, [1e-5, 3e-5, 1e-4, 3e-4, 1e-3]),
        (1e-5, 1e-1, None, [1e-5, 1e-4, 1e-3, 1e-2, 1e-1]),
        (0.0011, 0.0018, None, [0.0011, 0.0018]),
        (1e-12, 1.0, None, [1e-12, 1e-10, 1e-8, 1e-6, 1e-4, 1e-2, 1.0]),
        (16, 256, 2.0, [16, 32, 64, 128, 256]),
    ],
)
def test_a_logarithmic_axis_has_ticks_at_round_numbers_or_at_the_steps(
    low: float, high: float, step: float | None, marks: list[float]
) -> None:
    assert space._log_ticks(low, high, step=step) == pytest.approx(marks)


@pytest.mark.parametrize(
    ("values", "written", "unit"),
    [
        (["0.000734–0.000842", "0.00157–0.00193"], ["0.73–\n0.84", "1.6–\n1.9"], " (× 0.001)"),
        (["0", "0.0015"], ["0", "1.5"], " (× 0.001)"),
        (["0.001501–0.001502"], ["1.5"], " (× 0.001)"),
        (["1.25e−05", "2e−05"], ["1.2", "2"], " (× 0.00001)"),
        (["80", "400–500"], ["80", "400–\n500"], ""),
        (["0", "0.05", "0.15"], ["0", "0.05", "0.15"], ""),
        (["0", "50,000", "100,000"], ["0", "50,000", "100,000"], ""),
        (["average", "maximum"], ["average", "maximum"], ""),
    ],
)
def test_values_beside_a_cell_are_short(values: list[str], written: list[str], unit: str) -> None:
    assert space._in_cells(values) == (written, unit)


def test_the_unit_of_a_pairs_axis_is_said_and_no_label_is_turned() -> None:
    trials = tuple(
        replace(trial, configuration=trial.configuration.with_values(learning_rate=7e-4 * number))
        for number, trial in enumerate(opened_study().trials, start=1)
    )
    made = _opened(trials=trials)
    assert "learning_rate" in made.tables["pairs"].column("first")
    picture = space.pairs(made.tables["pairs"])
    assert picture is not None
    axes = picture.figure().axes
    assert "learning_rate (× 0.01)" in {each.get_xlabel() for each in axes}
    assert {text.get_rotation() for each in axes for text in each.get_xticklabels()} == {0.0}


def test_agreement_of_ranks_says_of_how_many_configurations_and_how_sure(
    content: ContentOf,
) -> None:
    made = content("completed")
    taus = made.tables["rank_agreement"]
    picture = search.agreement(made.tables["early_and_final"], taus, full=9)
    assert picture is not None
    titles = [axes.get_title(loc="left") for axes in picture.figure().axes]
    expected = []
    for row in taus.records():
        p_value = float(row["p_value"] or 0)
        sure = "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"
        told = f"tau = {float(row['tau'] or 0):.2f}, n = {row['configurations']}, {sure}"
        expected.append(told.replace("-", "−"))
    assert titles == expected
    unknown = replace(
        taus,
        rows=[
            tuple(None if column.name == "p_value" else cell
                  for column, cell in zip(taus.columns, row, strict=True))
            for row in taus.rows
        ],
    )  # fmt: skip
    picture = search.agreement(made.tables["early_and_final"], unknown, full=9)
    assert picture is not None
    assert not any("p =" in axes.get_title(loc="left") for axes in picture.figure().axes)


def test_the_baselines_maxlen_is_labelled_whether_it_is_searched_or_not(
    content: ContentOf,
) -> None:
    made = content("completed")
    choices = made.tables["maxlen_choices"]
    users = {row["used_by"] for row in choices.records()}
    assert users & {"both", "baseline"}
    picture = corpus.lengths(made.tables["lengths"], choices)
    assert picture is not None
    told = {text.get_text() for text in picture.figure().axes[0].texts}
    for row in choices.records():
        mark = "" if row["used_by"] == "search" else " (baseline)"
        assert f"{row['maxlen']}{mark}" in told


def _caption(page: str, figure: str) -> str:
    (found,) = (each for each in parse(page).find("figure")
                if each.attributes.get("id") == f"figure-{figure}")  # fmt: skip
    (caption,) = found.find("figcaption")
    return re.sub(r"\s+", " ", caption.text)


def test_captions_tell_of_arms_that_are_left_out_and_of_nothing_that_is_not_there(
    content: ContentOf,
) -> None:
    made = illustrate(content("compared"))
    page = render(made)
    for name in ("arms_cost", "run_curves", "roc", "calibration", "accuracy_by_review"):
        if name in made.pictures:
            left_out = made.pictures[name].leaves_out
            assert ("Other arms are in the table" in _caption(page, name)) == left_out, name
    assert made.pictures["calibration"].leaves_out
    assert "networks alone" in _caption(page, "arms_cost")
    assert "ring is the accuracy" in _caption(page, "seeds")

    plain = illustrate(content("completed"))
    page = render(plain)
    assert not any(picture.leaves_out for picture in plain.pictures.values())
    assert "Other arms" not in page
    assert "networks alone" not in _caption(page, "arms_cost")
    assert "classical control" not in _caption(page, "arms_cost")
    assert "ring is the accuracy" not in _caption(page, "seeds")
    assert "Validation curves" not in _caption(page, "run_curves")
