"""Which configurations a tuner has proposed, read from the records: none is proposed again.

A proposal depends on the results that are known when it is made; made again later, it would differ.
So it is written into the plan before its trial begins, and the trial's record has it, too: where
one of the two is lost, the other still has it.
"""

from collections.abc import Mapping, Sequence

from lstm_study.configuration import Configuration
from lstm_study.records import Trial
from lstm_study.records.state import SearchState
from lstm_study.records.trial_ids import CONTROL_PREFIX, TrialId


def known_proposals(
    begun: Sequence[Trial], earlier: SearchState | None
) -> Mapping[int, Configuration]:
    """Returns what was proposed, by the number of the slot.

    Args:
        begun: The trials that have begun, finalists included: they keep their parent's.
        earlier: The plan as it was written last; None where there is none.
    """
    brackets = earlier.brackets if earlier is not None else ()
    found = {
        number: configuration
        for bracket in brackets
        if bracket.role == "search"
        for number, configuration in enumerate(bracket.configurations)
        if configuration is not None
    }
    for trial in begun:
        name = trial.parent if trial.role == "finalist" else trial.trial_id
        of = TrialId.parse(name or "")
        if of is not None and of.prefix != CONTROL_PREFIX:
            found[of.slot] = trial.configuration
    return found
