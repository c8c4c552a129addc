"""The loop that keeps workers at work, where there are none yet."""

from lstm_study.engine.crew import Context, CrewSize, crew_of, start_workers, work
from lstm_study.store import Store
from tests.support.tiny import spec


def test_a_workers_name_tells_its_crew():
    assert crew_of("w1") == ""
    assert crew_of("box-2-a1b2-w10") == "box-2-a1b2"


def test_time_in_which_a_chief_waits_for_workers_is_not_time_worked(tmp_path):
    """Trap 17: nor does a chief's `time_limit` run while its crews still wait for a machine."""
    ticks: list[float] = []

    def on_tick(seconds: float) -> bool:
        ticks.append(seconds)
        return True

    size = CrewSize(workers=0, threads=1)
    with start_workers(size, stage="search", store=Store(tmp_path)) as pool:
        work(
            pool,
            store=Store(tmp_path),
            stage="search",
            spec=spec(),
            context=Context(command="", git_commit="", settings=()),
            size=size,
            on_ready=lambda *_: True,
            on_lost=lambda *_: None,
            on_tick=on_tick,
            is_needed=lambda: len(ticks) < 3,
            is_manned=lambda: len(ticks) == 2,
        )
    assert ticks[:2] == [0.0, 0.0]
    assert ticks[2] > 0.0
    (session,) = Store(tmp_path).read_sessions()
    assert session.seconds == ticks[2]
