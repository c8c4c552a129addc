"""What a search's plan is called in one line."""

from lstm_study.records.state import BracketState, RoundState, SearchState


def bracket(number: int, iteration: int, trials: int) -> BracketState:
    rounds = (RoundState(trials=trials, initial_epoch=0, budget_epochs=3),)
    return BracketState(iteration=iteration, bracket=number, rounds=rounds)


def test_brackets_that_are_alike_in_several_passes_are_named_once():
    passes = [bracket(number, each, 2 + number) for each in range(4) for number in (1, 0)]
    control = BracketState(iteration=0, bracket=0, role="control", rounds=passes[0].rounds)
    plan = SearchState(
        trials=25, epochs=75, exhausted=True, brackets=(*passes, bracket(1, 4, 1), control)
    )
    assert plan.in_words == (
        "25 trials, 75 epochs (the space holds no more configurations): "
        "bracket 1, 4 times: 3 to epoch 3; bracket 0, 4 times: 2 to epoch 3; "
        "bracket 1: 1 to epoch 3; random control: 3 to epoch 3"
    )


def test_one_of_a_kind_is_in_the_singular():
    plan = SearchState(trials=1, epochs=1, exhausted=False, brackets=(bracket(0, 0, 1),))
    assert plan.in_words == "1 trial, 1 epoch: bracket 0: 1 to epoch 3"
