"""Every error this package raises on purpose.

The tree::

    StudyError                 a known error: one line, exit code 1
    ├── SpecError              a study file that cannot be read, or breaks a rule
    ├── DataError              reviews that cannot be found, read or used
    │   └── DigestError        a file that is not the one it should be
    ├── StoreError             study files that cannot be read or written
    │   ├── LockedError        another process holds the study
    │   ├── ChangedStudyError  the spec or the data is not what the study began with
    │   └── RecordError        a record that is damaged, or of an unknown version
    ├── BuilderError           a custom builder that fails, or builds no such network
    ├── SearchError            a search that cannot start, or must end
    ├── TrainingError          one training that cannot continue
    │   └── DivergedError      its loss is not a number
    ├── ComparisonError        arms that cannot be trained or compared
    ├── ReportError            a report that cannot be written
    ├── ExportError            a model that cannot be written or read back
    └── DependencyError        an optional package that is not installed

A message says where, states the rule, shows what was received and names the next step::

    study/imdb.toml: search.max_epochs must be an integer >= 2. Received: 1 (int).
    For a quick check, use study/quickstart.toml.

Only the command line catches `StudyError`; anything else is a bug and keeps its traceback.
"""


class StudyError(Exception):
    """Base of every known error. Its text is what the user reads."""


class SpecError(StudyError):
    """A study file that cannot be read, or breaks a rule. Lists every problem at once."""


class DataError(StudyError):
    """Reviews that cannot be found, read or used."""


class DigestError(DataError):
    """A file that is not the one it should be."""


class StoreError(StudyError):
    """Study files that cannot be read or written."""


class LockedError(StoreError):
    """Another process holds the study."""


class ChangedStudyError(StoreError):
    """The spec or the data is not what the study began with."""


class RecordError(StoreError):
    """A record that is damaged, or of an unknown version."""


class BuilderError(StudyError):
    """A custom builder that fails, or builds no network from token ids to a probability."""


class SearchError(StudyError):
    """A search that cannot start, or must end."""


class TrainingError(StudyError):
    """One training that cannot continue."""


class DivergedError(TrainingError):
    """A training whose loss is not a number."""


class ComparisonError(StudyError):
    """Arms that cannot be trained or compared."""


class ReportError(StudyError):
    """A report that cannot be written."""


class ExportError(StudyError):
    """A model that cannot be written or read back."""


class DependencyError(StudyError):
    """An optional package that is not installed."""
