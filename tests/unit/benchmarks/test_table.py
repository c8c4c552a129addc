"""What the benchmarks write: a row's numbers once, in a CSV and in a table to read."""

import platform

from lstm_study.records import Machine
from tests.benchmarks.measure import Row, not_measured
from tests.benchmarks.table import COLUMNS, Source, line_of, merged, read, write

MACHINE = Machine(
    python="3.11.7", platform="Linux", processor="AMD EPYC", cpu_count=2, memory_bytes=2**34,
    packages={"keras": "3.15.1"},
)  # fmt: skip
SOURCE = Source(
    machine=MACHINE, gpu=None, measured_on="2025-03-01", commit="abc", quick=False
)  # fmt: skip
ROW = Row(
    row="step", case="tensorflow", quantity="processor time", unit="ms", ours=[200, 250, 300],
    other=[500, 500, 900], against="Keras", share=[0.5, 0.4, 0.3], bound="2.3 times",
)  # fmt: skip
TITLES = {"step": "a training step", "gpu-step": "on the GPU"}


def test_a_ratio_is_taken_round_by_round_and_says_times_better():
    assert ROW.ratios == [2.5, 2.0, 3.0]
    rate = Row(row="predict", case="", ours=[300], other=[100], more_is_better=True)
    assert rate.ratios == [3.0]


def test_a_line_has_median_least_and_most_of_all_that_was_measured():
    line = line_of(ROW, SOURCE)
    assert tuple(line) == COLUMNS
    assert [line[f"ours{end}"] for end in ("", "_least", "_most")] == ["250", "200", "300"]
    assert [line[f"ratio{end}"] for end in ("", "_least", "_most")] == ["2.5", "2", "3"]
    assert (line["share"], line["rounds"], line["commit"]) == ("0.4", "3", "abc")


def test_a_row_without_values_says_why_and_has_no_numbers():
    line = line_of(not_measured("gpu-step", "there is no GPU here"), SOURCE)
    assert line["note"] == "not measured: there is no GPU here"
    assert line["ours"] == line["ratio"] == line["share"] == ""


def test_files_are_named_by_the_processor_or_the_gpu_and_never_by_the_host():
    assert SOURCE.slug == "amd-epyc-2-cores"
    assert platform.node() not in SOURCE.slug
    gpu = Source(machine=MACHINE, gpu="NVIDIA H100 80GB", measured_on="", commit="", quick=True)
    assert gpu.slug == "nvidia-h100-80gb-quick"


def test_rows_measured_again_replace_their_own_lines_and_no_others(tmp_path):
    lines = merged([], "step", [line_of(ROW, SOURCE)], list(TITLES))
    without = not_measured("gpu-step", "there is no GPU here")
    lines = merged(lines, "gpu-step", [line_of(without, SOURCE)], list(TITLES))
    write(lines, SOURCE, folder=tmp_path, titles=TITLES)
    again = line_of(Row(row="step", case="jax", ours=[1]), SOURCE)
    kept = merged(read(tmp_path / "amd-epyc-2-cores.csv"), "step", [again], list(TITLES))
    assert [(line["row"], line["case"]) for line in kept] == [("step", "jax"), ("gpu-step", "all")]


def test_the_table_to_read_has_every_number_and_every_reason(tmp_path):
    lines = [line_of(ROW, SOURCE), line_of(not_measured("gpu-step", "no GPU"), SOURCE)]
    write(lines, SOURCE, folder=tmp_path, titles=TITLES)
    text = (tmp_path / "amd-epyc-2-cores.md").read_text()
    assert (
        "| tensorflow | processor time, ms | 250 (200 to 300) | 500 (500 to 900): Keras "
        "| 2.50 (2.00 to 3.00) | 40% | 2.3 times |"
    ) in text
    assert "- all: not measured: no GPU." in text
    assert "mean nothing" not in text
