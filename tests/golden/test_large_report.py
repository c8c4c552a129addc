"""The report of a thousand trials: whole, traced, and small enough to send."""

from collections.abc import Callable

from lstm_study.analysis.answer.verdict import judge
from lstm_study.report.content import gather, illustrate
from lstm_study.report.write import render_files
from tests.support.fake_study import large_study
from tests.support.report_page import parse, short_floats, untraced


def test_a_thousand_trials_fit_into_five_megabytes_with_every_number_traced(
    golden: Callable[[str, str], None],
) -> None:
    records = large_study(1000)
    content = illustrate(
        gather(
            records,
            verdict=judge(records),
            made_at="2025-03-02T10:00:00.000Z",
            versions={},
            git_commit="",
            bundle=None,
        )
    )
    files = render_files(content)
    page = files["report.html"].decode()
    assert len(records.trials) >= 1000
    assert len(files["report.html"]) < 5_000_000
    tables = {path: text.decode() for path, text in files.items() if path.endswith(".csv")}
    assert untraced(page, tables) == []
    rows = [node for node in parse(page).find("tr") if "data-trial" in node.attributes]
    assert len(rows) == len(records.trials)
    golden("large/report.md", files["report.md"].decode())
    for name in ("cost", "rank_agreement", "repeated_configurations"):
        golden(f"large/tables/{name}.csv", short_floats(tables[f"tables/{name}.csv"]))
