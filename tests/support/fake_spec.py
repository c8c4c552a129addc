"""The fake study's file, its clock, and the number of its test reviews."""

from datetime import UTC, datetime

from lstm_study.spec import StudySpec, parse_spec

TEST_REVIEWS = 2_000

BEGINNING = datetime(2025, 3, 1, 9, 0, tzinfo=UTC)

SPEC_TEXT = """\
# A fake study, for tests.
[study]
name = "fake"
title = "A fake study"
seed = 7
objective = "validation_accuracy"

[data]
source = "reviews"
test_fraction = 0.2
validation_fraction = 0.2

[space]
vocabulary_size = { choices = [5000, 10000, 20000] }
maxlen = { choices = [80, 120, 160, 200] }
embedding_dim = { choices = [16, 32, 64] }
lstm_units = { min = 16, max = 128, step = 16 }
dropout = { min = 0.0, max = 0.4, step = 0.1 }
recurrent_dropout = { min = 0.0, max = 0.4, step = 0.1 }

[search]
max_epochs = 9
factor = 3
rerank = 0

[protocol]
epochs = 5
masked = false

[baseline]
maxlen = 200

[compare]
seeds = 4
validation_seeds = 1
"""


def fake_spec(**settings: str) -> StudySpec:
    """Returns the fake study's spec; settings are `table__key="TOML value"`."""
    changes = [f"{key.replace('__', '.')}={value}" for key, value in settings.items()]
    return parse_spec(SPEC_TEXT, where="fake.toml", settings=changes)


def stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
