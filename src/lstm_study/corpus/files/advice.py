"""How errors name an option: as a flag of the running command, or as a key of the study file."""

import csv
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from pathlib import PurePath
from shlex import quote

_toml = partial(json.dumps, ensure_ascii=False)
_FLAGS: ContextVar[tuple[str, ...] | None] = ContextVar("_FLAGS", default=None)

INIT_FLAGS = (
    "text_column", "label_column", "split_column", "group_column", "positive", "negative",
    "encoding", "tokens", "drop_empty", "columns",
)  # fmt: skip
PREDICT_FLAGS = ("text_column", "encoding", "columns")


_SPREADSHEET = (
    "Save its sheet as CSV (in Excel: CSV UTF-8, of the sheet that is open), with the names of its "
    "columns in the first line."
)
_QUERY = "'SELECT * FROM TABLE' > reviews.csv"
_FROM_MAILS = (
    "python -c 'import email, email.policy, pathlib; "
    '[file.with_suffix(".txt").write_text(part.get_content(), encoding="utf-8") '
    'for file in pathlib.Path("FOLDER").rglob("*.eml") '
    "for mail in [email.message_from_bytes(file.read_bytes(), policy=email.policy.default)] "
    'if (part := mail.get_body(("plain", "html")))]\''
)
_FROM_MAILBOX = (
    "python -c 'import email, email.policy, mailbox, pandas; "
    'pandas.DataFrame({"subject": mail["subject"], "text": part.get_content()} '
    'for mail in mailbox.mbox("FILE", '
    "lambda file: email.message_from_binary_file(file, policy=email.policy.default)) "
    'if (part := mail.get_body(("plain", "html")))).to_csv("reviews.csv", index=False)\''
)
_FROM_YAML = (
    "python -c 'import json, sys, yaml; [print(json.dumps(each, default=str)) "
    "for each in yaml.safe_load(sys.stdin)]' < FILE > reviews.jsonl"
)
_PACKED = "Unpack it."
_WAYS_OUT = {
    **dict.fromkeys((".xlsx", ".xls", ".xlsm", ".xlsb", ".ods", ".numbers"), _SPREADSHEET),
    **dict.fromkeys(
        (".zip", ".tar", ".tgz", ".tbz2", ".txz", ".7z", ".rar", ".lz4", ".br"), _PACKED
    ),
    ".zst": "Unpack it, with zstd -d.",
    **{
        suffix: f"Save it as CSV, with pandas.{reader}.to_csv('reviews.csv', index=False)."
        for suffix, reader in (
            (".orc", "read_orc(FILE)"),
            (".dta", "read_stata(FILE)"),
            (".sav", "read_spss(FILE)"),
            (".sas7bdat", "read_sas(FILE, encoding='utf-8')"),
            (".xpt", "read_sas(FILE, encoding='utf-8')"),
            (".xml", "read_xml(FILE)"),
            (".h5", "read_hdf(FILE)"),
            (".hdf5", "read_hdf(FILE)"),
        )
    },
    **dict.fromkeys(
        (".pkl", ".pickle"),
        "Save it as CSV, with pandas.read_pickle(FILE).to_csv('reviews.csv', index=False), if you "
        "trust its source: a pickle can run any code.",
    ),
    **dict.fromkeys(
        (".sqlite", ".sqlite3", ".db"),
        f"Save its table as CSV: sqlite3 -header -csv FILE {_QUERY}; "
        "sqlite3 FILE .tables lists its tables.",
    ),
    ".sql": "Load it into its database, and save the table as CSV; a dump of SQLite: "
    f"sqlite3 new.db < FILE; sqlite3 -header -csv new.db {_QUERY}",
    ".duckdb": f"Save its table as CSV: duckdb -csv FILE {_QUERY}",
    **dict.fromkeys(
        (".mdb", ".accdb"), "Save its table as CSV: mdb-export FILE TABLE > reviews.csv"
    ),
    ".bson": "Save it as JSON lines: bsondump FILE > reviews.jsonl",
    ".avro": "Save it as JSON lines, with fastavro FILE > reviews.jsonl",
    **dict.fromkeys((".yaml", ".yml"), f"Save it as JSON lines: {_FROM_YAML}"),
    ".rds": "Save it as CSV; in R: write.csv(readRDS(FILE), 'reviews.csv', row.names = FALSE).",
    **dict.fromkeys(
        (".rdata", ".rda"),
        "Save its table as CSV; in R: load(FILE); "
        "write.csv(TABLE, 'reviews.csv', row.names = FALSE).",
    ),
    ".eml": f"Save the mails' texts as .txt: {_FROM_MAILS}",
    ".mbox": f"Save the mails' texts as CSV, and add a column of labels: {_FROM_MAILBOX}",
    **dict.fromkeys(
        (".docx", ".odt", ".rtf", ".epub"),
        "Save it as text, with pandoc -t plain FILE -o NAME.txt.",
    ),
    ".pdf": "Save it as text, with pdftotext FILE NAME.txt.",
    **dict.fromkeys(
        (".html", ".htm"),
        "Save its table as CSV, or its text with pandoc -t plain FILE -o NAME.txt.",
    ),
    **dict.fromkeys(
        (".psv", ".ssv"), "Rename it to .csv: any of , ; | and tab may separate columns."
    ),
    ".gsheet": "It is only a link: download the sheet as CSV.",
    **dict.fromkeys((".gz", ".bz2", ".xz"), "Unpack it, or name what is in it: reviews.csv.gz."),
    **dict.fromkeys(
        (".txt", ".text", ".md", ".dat", ".data", ""),
        "If it is a table, rename it to .csv or .tsv. Texts that are a review each must end in "
        ".txt, and be in folders that are named by their labels, such as pos/ and neg/.",
    ),
}


@contextmanager
def as_flags(flags: tuple[str, ...]) -> Iterator[None]:
    """Makes `option` name these options as flags while the block runs."""
    token = _FLAGS.set(flags)
    try:
        yield
    finally:
        _FLAGS.reset(token)


def has_option(key: str) -> bool:
    """Returns whether the running command takes this option."""
    flags = _FLAGS.get()
    return flags is None or key in flags


def has_surveyed() -> bool:
    """Returns whether the running command, `init`, prints itself what its survey noticed."""
    return _FLAGS.get() == INIT_FLAGS


def option(key: str, value: str | bool | tuple[str, ...] = "") -> str:
    """Names an option with a value, as it is written where the user is.

    Example:
        >>> option("encoding", "gb18030")
        'data.encoding = "gb18030"'
        >>> with as_flags(PREDICT_FLAGS):
        ...     option("encoding", "gb18030")
        '--encoding gb18030'
    """
    if _FLAGS.get() is None:
        if isinstance(value, bool):
            return f"data.{key} = {str(value).lower()}"
        if isinstance(value, tuple):
            return f"data.{key} = [{', '.join(map(_toml, value))}]"
        return f"data.{key} = {_toml(value)}" if value else f"data.{key}"
    flag = f"--{key.replace('_', '-')}"
    if isinstance(value, bool) or not value:
        return flag
    return f"{flag} {quote(join_labels(value) if isinstance(value, tuple) else value)}"


def argument(path: str) -> str:
    """Quotes a path for the shell, so that no command takes it for an option.

    Example:
        >>> argument("-my study.toml")
        "'./-my study.toml'"
    """
    return quote(f"./{path}" if path.startswith("-") else path)


def reading(paths: Sequence[str]) -> str:
    """Returns how to make the running command read only these paths.

    Example:
        >>> reading(["a.csv", "b.csv"])
        '["a.csv", "b.csv"]'
        >>> with as_flags(INIT_FLAGS):
        ...     reading(["my reviews.csv"])
        "lstm-study init 'my reviews.csv'"
    """
    if _FLAGS.get() is None:
        return _toml(list(paths))
    # Of the commands that take files, only `init` asks for labels.
    command = ["lstm-study init"] if has_option("label_column") else []
    return " ".join([*command, *map(argument, paths)])


def join_labels(labels: Sequence[str]) -> str:
    """Joins labels by commas into one value of an option; a label with a comma is quoted."""
    return ",".join(
        '"' + label.replace('"', '""') + '"' if "," in label or label.startswith('"') else label
        for label in labels
    )


def split_labels(text: str) -> tuple[str, ...]:
    """Reads what `join_labels` wrote.

    Example:
        >>> split_labels('4, 5,"so, so"')
        ('4', '5', 'so, so')
    """
    (row,) = csv.reader([text], skipinitialspace=True)
    return tuple(label.strip() for label in row if label.strip())


def split_names(text: str) -> tuple[str, ...]:
    """Splits names of columns at commas; an empty name stays, for a column that is left out.

    Example:
        >>> split_names("label,,text")
        ('label', '', 'text')
    """
    (row,) = csv.reader([text], skipinitialspace=True)
    return tuple(name.strip() for name in row)


def way_out(*names: str) -> str:
    """Says what to do with files that are not supported: the first advice that fits one.

    Example:
        >>> way_out("notes.md", "reviews.csv.zst")
        'Unpack it, with zstd -d.'
    """
    suffixes = set()
    for name in names:
        path = PurePath(name.lower())
        inner = PurePath(path.stem).suffix
        suffixes.add(inner if inner and path.suffix in (".gz", ".bz2", ".xz") else path.suffix)
    known = (way for suffix, way in _WAYS_OUT.items() if suffix in suffixes)
    return next(known, "Save it as CSV, JSON lines or Parquet.")
