"""The arms of a comparison, and the runs they are made of."""

from collections.abc import Mapping

from lstm_study.configuration import Configuration
from lstm_study.provenance import now
from lstm_study.records import Run
from lstm_study.seeds import derive
from lstm_study.spec import StudySpec


def plan_runs(arms: Mapping[str, Configuration], *, spec: StudySpec) -> list[Run]:
    """Plans the runs of some arms: every arm with every seed, one seed after the other.

    Runs of different arms with one seed index share their seed, so they see the reviews in the same
    order. Stopped early, the arms have equal numbers of seeds.

    Args:
        arms: Configuration by the arm's name, in the order to run.
        spec: The study: its seed, protocol and number of seeds.
    """
    return [
        Run(
            run_id=f"{arm}-s{index}",
            arm=arm,
            seed_index=index,
            seed=derive(spec.study.seed, "run", index),
            configuration=configuration,
            protocol_epochs=spec.protocol.epochs,
            status="running",
            parameter_count=configuration.parameter_count,
            started_at=now(),
        )
        for index in range(1, spec.compare.seeds + 1)
        for arm, configuration in arms.items()
    ]
