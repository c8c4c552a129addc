"""CSV and TSV: delimiters, quotes, nameless columns, and where an error is."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_study.corpus.files.table import open_table
from lstm_study.errors import DataError


def rows_of(path: Path, columns=("text", "label")) -> list[list[str]]:
    return [list(row.values) for row in open_table([path]).rows(columns)]


def written(path: Path, content: str) -> Path:
    path.write_text(content, encoding="utf-8", newline="")
    return path


@pytest.mark.parametrize(
    "content",
    [
        "text,label\nGood café,1\n",
        "label;text\n1;Good café\n",
        "text\tlabel\nGood café\t1\n",
        'id,text,label\r\n7,"Good café",1\r\n',
        " text , label \n\nGood café,1\n\n",
        "sep=;\ntext;label\nGood café;1\n",
        "SEP=|\r\nlabel|text\r\n1|Good café\r\n",
        "text,label\rGood café,1\r",
        ",text,label\n0,Good café,1\n",
        "text,label,,,\nGood café,1,,,\n",
        "text,label,,\nGood café,1\n",
        "text,label\nGood café,1,,\n",
        "text,label\r\r\nGood café,1\r\r\n",
        '"text","label"\r\r\n"Good café","1"\r\r\n',
        '"sep=;"\ntext;label\nGood café;1\n',
        '"note\n(if any)",text,label\n,Good café,1\n',
        "note,text,note,label\n,Good café,,1\n",
    ],
)
def test_any_usual_delimiter_order_and_empty_columns_are_read(tmp_path, content):
    assert rows_of(written(tmp_path / "r.csv", content)) == [["Good café", "1"]]


def test_an_index_and_empty_columns_without_a_name_are_left_out(tmp_path):
    table = open_table([written(tmp_path / "r.csv", ",text,label,,\n0,a b,1,,\n1,c d,0\n")])
    assert table.names == ("text", "label")
    assert [list(row.values) for row in table.rows()] == [["a b", "1"], ["c d", "0"]]
    assert list(table.remarks) == ["1 column without a name, left out"]
    table = open_table([written(tmp_path / "r.csv", "text,label,,\na b,1,,\n")])
    assert [list(row.values) for row in table.rows()] == [["a b", "1"]]
    assert list(table.remarks) == []


def test_a_few_texts_in_columns_without_a_name_are_counted_and_the_first_is_named(tmp_path):
    for name in ("a.csv", "b.csv"):
        rows = ["1,a b,,", "0,c d, but e,", "1,f g, and h, i", *["0,j k,,"] * 40]
        written(tmp_path / name, "\n".join(["label,text,,", *rows]))
    table = open_table([tmp_path])
    assert len(list(table.rows())) == 86
    what = "2 rows with a value in a column without a name, which is left out"
    assert list(table.remarks) == [
        f"{what}: see {tmp_path / 'a.csv'}:3, and name the column or join it to the text",
        what,
    ]


def test_many_texts_in_columns_without_a_name_are_refused(tmp_path):
    rows = ["1,a b,,", *["0,c d, but e,", "1,f g,,"] * 20]
    path = written(tmp_path / "r.csv", "\n".join(["label,text,,", *rows]))
    with pytest.raises(DataError, match=r"r\.csv:3: .* Received: 20 of 41 rows .* Name the colum"):
        list(open_table([path]).rows())
    path = written(tmp_path / "r.csv", "text,label,\n" + "a b,1,note\n" * 9)
    assert len(list(open_table([path]).rows())) == 9


def test_a_surplus_field_that_is_not_empty_is_refused(tmp_path):
    path = written(tmp_path / "r.csv", "text,label\nx,1\ny,z,0\n")
    with pytest.raises(DataError, match=r"r.csv:3 \(row 2\): must have 2 fields.*Received: 3"):
        rows_of(path)


def test_quotes_of_a_tsv_that_does_not_quote_belong_to_the_texts(tmp_path):
    lines = ["label\ttext", *(f"{n % 2}\tplain words {n}" for n in range(30))]
    lines[11] = '1\t"I came in'
    lines[14] = '0\tand he left"'
    lines[20] = '1\t"quoted" twice "over"'
    path = written(tmp_path / "r.tsv", "\n".join(lines) + "\n")
    table = open_table([path])
    rows = list(table.rows(("text", "label")))
    assert len(rows) == 30
    assert list(rows[10].values) == ['"I came in', "1"]
    assert list(rows[13].values) == ['and he left"', "0"]
    assert [row.line for row in rows] == list(range(2, 32))
    assert any(note.startswith("quotes are read as part of the texts") for note in table.notes)


def test_a_tsv_that_quotes_is_read_with_its_quotes(tmp_path):
    rows = [(f'he said "{n}"\nleft', n % 2) for n in range(30)]
    with (tmp_path / "r.tsv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter="\t").writerows([("text", "label"), *rows])
    table = open_table([tmp_path / "r.tsv"])
    assert [tuple(row.values) for row in table.rows()] == [(t, str(n)) for t, n in rows]
    assert table.notes["rows that span lines"] == 30


ESCAPED = [
    ('He said "no", and left', "1"),
    ("no quotes here", "0"),
    ('ends with "a quote"', "1"),
    ('"begins" with one', "0"),
    ("C:\\new\\films, kept", "1"),
    ('two\nlines, and "one" quote', "0"),
]


@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_quotes_behind_a_backslash_are_quotes_inside_a_text(tmp_path, delimiter):
    texts = [text.replace('"', '\\"') for text, _ in ESCAPED]
    rows = [f'"{text}"{delimiter}{label}' for text, (_, label) in zip(texts, ESCAPED, strict=True)]
    content = "\n".join([f"text{delimiter}label", *rows])
    table = open_table([written(tmp_path / "spark.csv", content)])
    assert [tuple(row.values) for row in table.rows(("text", "label"))] == ESCAPED
    remark = "quotes behind a backslash are read as part of the texts"
    assert remark in table.remarks


def test_a_backslash_before_a_doubled_quote_is_a_backslash(tmp_path):
    rows = [['the path "C:\\"', "1"], ['\\"said" he', "0"], ["ends with \\", "1"]]
    path = tmp_path / "r.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["text", "label"], *rows])
    assert rows_of(path) == rows
    table = open_table([path])
    assert list(table.rows())
    assert list(table.remarks) == []


@pytest.mark.parametrize(("name", "end"), [("r.tsv", "\t"), ("r.csv", ",")])
def test_rows_swallowed_by_a_quote_are_refused_with_their_lines(tmp_path, name, end):
    lines = [f"text{end}label", *(f"plain words {n}{end}{n % 2}" for n in range(60))]
    lines[1:1] = [f'"in, quotes{end} and ""more"""{end}1'] * 5
    lines[40] = f'"opened here{end}1'
    lines[42] = f'words 42 and "{end}0'
    path = written(tmp_path / name, "\n".join(lines) + "\n")
    with pytest.raises(DataError, match=r":41: a quote") as caught:
        rows_of(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("header", "row", "opening", "closing"),
    [
        ("label,id,text", "{n}1,{i},words {i}", '01,30,"words, 30', '11,33,words 33"'),
        ("text,share,label", "words {i},0.{i},{n}1", '"words, 30,0.5,01', 'words 33",0.6,11'),
        ("label,text", "{n}1,words {i},", '01,"words, 30,', '11,words 33",'),
        ("id\ttext\tlabel", "{i}\twords {i}\t{n}\t", '3\t"words 30\t0\t', '33\t33"\t1\t'),
    ],
)
@pytest.mark.parametrize("at", [3, 30])
def test_rows_swallowed_by_a_text_with_a_delimiter_are_refused(
    tmp_path, header, row, opening, closing, at
):
    end = "\t" if "\t" in header else ","
    lines = [header, *(row.format(i=i, n=i % 2) for i in range(60))]
    quoted = [field.format(i=9, n=1) for field in row.split(end)]
    quoted[quoted.index("words 9")] = '"in, quotes\nof two lines"'
    lines[50:50] = [end.join(quoted)]
    lines[at], lines[at + 3] = opening, closing
    path = written(tmp_path / "r.csv", "\n".join(lines) + "\n")
    with pytest.raises(DataError, match=rf":{at + 1}: .* closes on line {at + 4}, and each of th"):
        rows_of(path)


def test_an_unquoted_tsv_may_have_tabs_at_the_end_of_its_rows_alone(tmp_path):
    lines = [f"{n}\twords {n}\t{n % 2}\t" for n in range(30)]
    lines[10], lines[12] = '10\t"words 10\t0\t', '12\twords 12"\t0\t'
    path = written(tmp_path / "r.tsv", "\n".join(["id\ttext\tlabel", *lines]) + "\n")
    rows = rows_of(path)
    assert len(rows) == 30
    assert rows[10] == ['"words 10', "0"]


@pytest.mark.parametrize(
    ("header", "row", "text"),
    [
        ("label,text", "{n},{text}", "Good\n1, first {i}"),
        ("text,label", "{text},{n}", "Good, it is\nfirst {i}"),
        ("source,text,label", "imdb,{text},{n}", "Good, it is\nfirst, {i}"),
        ("text", "{text}", "Good it is\nfirst {i}"),
    ],
)
@pytest.mark.parametrize("every", [1, 4])
def test_a_quoted_text_with_a_delimiter_in_each_line_is_one_text(
    tmp_path, header, row, text, every
):
    texts = [text.format(i=i) if i % every == 0 else f"words {i}" for i in range(60)]
    lines = [
        row.format(n=i % 2, text=f'"{each}"' if "\n" in each else each)
        for i, each in enumerate(texts)
    ]
    path = written(tmp_path / "r.csv", "\n".join([header, *lines]) + "\n")
    assert [row[0] for row in rows_of(path, ("text",))] == texts


@pytest.mark.parametrize("quoting", [csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])
def test_in_a_file_that_quotes_all_texts_no_line_without_quotes_is_a_row(tmp_path, quoting):
    rows = [(n % 2, "Good,\n1,first" if n % 9 == 0 else f"words {n}") for n in range(60)]
    with (tmp_path / "r.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, quoting=quoting).writerows([("label", "text"), *rows])
    assert rows_of(tmp_path / "r.csv", ("text",)) == [[text] for _, text in rows]


def test_a_csv_whose_rows_are_lines_with_stray_quotes_does_not_quote(tmp_path):
    lines = [f"{n % 2},{n},words {n}" for n in range(40)]
    lines[20], lines[23] = '0,20,"words 20', '1,23,words 23"'
    path = written(tmp_path / "r.csv", "\n".join(["label,id,text", *lines]) + "\n")
    assert len(rows_of(path)) == 40


def test_a_review_over_several_lines_is_no_swallowed_row(tmp_path):
    rows = [(f"first, {n}\nsecond line, 1\nthird, and so on", n % 2) for n in range(40)]
    with (tmp_path / "r.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *rows])
    assert [tuple(row) for row in rows_of(tmp_path / "r.csv")] == [(t, str(n)) for t, n in rows]


@pytest.mark.parametrize("line", ['"one word ,"1"', '"one word ,1', '"one ""word"",1'])
@pytest.mark.parametrize("at", [5, 20, 59])
def test_a_quote_that_is_never_closed_is_named_by_the_line_where_it_opens(tmp_path, line, at):
    lines = ["text,label", *(f'"plain words, {n}","{n % 2}"' for n in range(60))]
    lines[at] = line
    path = written(tmp_path / "r.csv", "\n".join(lines) + "\n")
    with pytest.raises(DataError, match=rf"r.csv:{at + 1}: a quote opens here"):
        rows_of(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("txt,label\nx,1\n", r"column 'text'. Received: 'txt', 'label'. Did you mean 'txt'"),
        ("", "an empty file"),
        ("\ntext,label\n", "an empty line"),
        ("text,label,text\nx,1,y\n", "one column 'text'. Received: 2 of them"),
    ],
)
def test_malformed_files_get_one_line_that_says_where(tmp_path, content, message):
    with pytest.raises(DataError, match=message) as caught:
        rows_of(written(tmp_path / "r.csv", content))
    assert "\n" not in str(caught.value)


def test_rows_are_placed_by_line_and_number_even_after_line_breaks_in_quotes(tmp_path):
    path = written(tmp_path / "reviews.csv", 'text,label\n"one\ntwo",1\n\nthree,0\n')
    assert [row.place for row in open_table([path]).rows()] == [
        f"{path}:2 (row 1)",
        f"{path}:5 (row 2)",
    ]


def test_long_texts_are_read_and_the_csv_modules_limit_is_left_as_it_was(tmp_path):
    before = csv.field_size_limit()
    path = written(tmp_path / "reviews.csv", f"text,label\n{'word ' * 60_000},1\n")
    assert len(rows_of(path)[0][0]) == 300_000
    assert csv.field_size_limit() == before


def test_a_line_without_an_end_is_refused_before_it_fills_the_memory(tmp_path):
    path = tmp_path / "r.csv"
    path.write_bytes(b"text,label\n" + b"x" * (1 << 24))
    with pytest.raises(DataError, match="characters in a line"):
        rows_of(path)


@pytest.mark.parametrize("text", ["one\rtwo", "one\r", "\rone"])
def test_a_carriage_return_inside_a_text_does_not_end_its_row(tmp_path, text):
    for name, end, quote in (("r.tsv", "\t", ""), ("r.csv", ",", ""), ("q.csv", ",", '"')):
        row = f"{quote}{text}{quote}{end}1\n"
        path = written(tmp_path / name, f"text{end}label\n{row}plain{end}0\n")
        assert rows_of(path) == [[text, "1"], ["plain", "0"]]


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1)


@given(
    texts=st.lists(TEXTS, min_size=1, max_size=20),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    delimiter=st.sampled_from([",", ";", "|"]),
)
def test_what_pythons_writer_wrote_is_read_back(tmp_path_factory, texts, quoting, delimiter):
    path = tmp_path_factory.mktemp("csv") / "r.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter, quoting=quoting)
        writer.writerow(("n", "text", "label"))
        writer.writerows((n, text, "yes") for n, text in enumerate(texts))
    assert [row[0] for row in rows_of(path)] == texts


def test_a_tsv_whose_header_has_no_tab_may_have_another_delimiter(tmp_path):
    assert rows_of(written(tmp_path / "r.tsv", "text;label\na, b;1\n")) == [["a, b", "1"]]
    for name in ("t.tsv", "t.csv"):
        assert rows_of(written(tmp_path / name, "text\na, b\n"), ("text",)) == [["a, b"]]


def test_lines_are_counted_behind_a_header_of_several(tmp_path):
    path = written(tmp_path / "r.csv", '"my\ntext",label\na,1\nb\n')
    with pytest.raises(DataError, match=r"r\.csv:4 \(row 2\): must have 2 fields"):
        rows_of(path, ("label",))


def test_a_second_column_of_a_name_has_a_number_and_the_name_is_refused(tmp_path):
    path = written(tmp_path / "r.csv", "text,text,label\na,b,1\n")
    assert open_table([path]).names == ("text", "text (2)", "label")
    with pytest.raises(DataError, match=r"must have one column 'text'\. Received: 2 of them\. Ren"):
        rows_of(path)


ROWS = [(f"some words, {n}", n % 2) for n in range(60)]


@pytest.mark.parametrize(
    ("header", "row", "columns"),
    [
        ("Review, full text;Label", "some words {n};{label}", ("Review, full text", "Label")),
        ("Review, full text;Label", "some, words {n};{label}", ("Review, full text", "Label")),
        ("text|label,1;0", "some words {n}|{label}", ("text", "label,1;0")),
        ("label;text (a, b, c)", "{label};a, b, c{n}", ("label", "text (a, b, c)")),
    ],
)
def test_the_delimiter_is_the_one_that_splits_rows_like_the_header(tmp_path, header, row, columns):
    lines = [row.format(n=n, label=n % 2) for n in range(60)]
    table = open_table([written(tmp_path / "r.csv", "\n".join([header, *lines]) + "\n")])
    assert table.names == columns
    assert len(list(table.rows(columns))) == 60


@pytest.mark.parametrize(
    ("header", "row", "between"),
    [
        ("text,label", '"some, words {n}";{label}', "',' between .* ';' between"),
        ("text,label", "words {n};{label}", "',' between .* ';' between"),
        ('"text","label"', '"{n}";"some words{more}";{label}', "',' between .* ';' between"),
        ("label;text", "{label}\tsome; words{more}; {n}", r"';' between .* '\\t' between"),
        ("label\ttext", '{label},"some, words {n}"', r"'\\t' between .* ',' between"),
    ],
)
def test_names_with_another_delimiter_than_the_rows_are_refused(tmp_path, header, row, between):
    lines = [row.format(n=n, more=", and" * (n % 3), label=n % 2) for n in range(60)]
    path = written(tmp_path / "r.csv", "\n".join([header, *lines]) + "\n")
    with pytest.raises(DataError, match=rf"one delimiter\. Received: {between} the values"):
        open_table([path])


def test_names_of_rows_as_r_writes_them_are_left_out(tmp_path):
    rows = "".join(f'"{n + 1}","{text}",{label}\n' for n, (text, label) in enumerate(ROWS))
    table = open_table([written(tmp_path / "r.csv", f'"text","label"\n{rows}')])
    assert [tuple(row.values) for row in table.rows()] == [(t, str(n)) for t, n in ROWS]
    assert list(table.remarks) == ["1 column without a name, left out"]
    rows = "".join(f'"{n + 1}"\t"{text}"\n' for n, (text, _) in enumerate(ROWS))
    table = open_table([written(tmp_path / "r.csv", f'"x"\n{rows}')])
    assert [row.values[0] for row in table.rows(("x",))] == [text for text, _ in ROWS]


@pytest.mark.parametrize("name", ["{}", "rev{}", "row.{}"])
@pytest.mark.parametrize("end", ["\t", ","])
def test_names_of_rows_of_a_sample_or_in_words_are_left_out(tmp_path, name, end):
    texts = [f'some "good" words, {n}' for n in range(60)]
    lines = [f'"text"{end}"label"']
    for n, text in enumerate(texts):
        escaped = text.replace('"', '\\"')  # R's default.
        lines.append(f'"{name.format(n * 7 % 60)}"{end}"{escaped}"{end}{n % 2}')
    path = written(tmp_path / "r.csv", "\n".join(lines) + "\n")
    assert rows_of(path) == [[text, str(n % 2)] for n, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ('"text","label"', '"words {n}",{label},x'),
        ('"text","label"', '"word",{label},x'),
        ('"text","label"', "word{n},{label},x"),
        ("text,label", '"word{n}",{label},x'),
        ('"id","text"', '"rev{n}","words",{label}'),
    ],
)
def test_what_may_be_values_of_the_first_column_are_no_names_of_rows(tmp_path, header, row):
    lines = [header, *(row.format(n=99 - n, label=n % 2) for n in range(60))]
    with pytest.raises(DataError, match=r":2 \(row 1\): must have 2 fields.* Received: 3"):
        list(open_table([written(tmp_path / "r.csv", "\n".join(lines))]).rows())


def test_numbers_below_a_name_of_numbers_are_no_names_of_rows(tmp_path):
    rows = "".join(f"{n},plain words {n},{n % 2}\n" for n in range(60))
    for name in ("id", "Review ID", "row", "#"):
        with pytest.raises(DataError, match=r":2 \(row 1\): must have 2 fields.* Received: 3"):
            rows_of(written(tmp_path / "r.csv", f"{name},text\n{rows}"), ("text",))


@pytest.mark.parametrize("field", ["{n}", "at {n} o'clock"])
def test_texts_with_one_delimiter_are_no_names_of_rows(tmp_path, field):
    rows = "".join(f"{field.format(n=99 - n)}, I left,{n % 2}\n" for n in range(60))
    with pytest.raises(DataError, match=r":2 \(row 1\): must have 2 fields.* Received: 3"):
        rows_of(written(tmp_path / "r.csv", f"text,label\n{rows}"))


LINES = "".join(f'"{text}",{label}\n' for text, label in ROWS)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            f"text,label\n{LINES}\n(60 rows affected)\n",
            "1, in '.60 rows.*If it is not a row, remove",
        ),
        ('label, text\n1, "a, b"\n', r":2 .*Received: 3.* Remove the space in front of the quote"),
        ("text,label\n'a, b',1\n", r":2 .*Received: 3.*in quotes: double ones \(\"\)"),
        ("text,label\na\\, b,1\n", r":2 .*Received: 3.*a backslash does not replace them"),
        ("text,label\na,1\rb,0\nc,1\n", r":2 .*holds a carriage return.*End all rows alike"),
        ('text,label\n"a, x",1\r"b",0\n', r":2: holds a carriage return.*End all rows alike"),
        (
            "text\na, b; c\td | e\nf, g, h; i; j\tk\tl|m|n\n",
            r":2 .*have 1 field, .*Received: 2.*or name each column in the first",
        ),
        (
            f"# comment\ntext,label\n{LINES}",
            "'# comment' above what seems to be the names, 'text', 'label', on line 2",
        ),
        (
            f"Survey;;\n;;\nid;text;n\n{'7;a b;1' * 9}\n",
            "'Survey', above rows of .* remove what",
        ),
        ("text,\n" + "a b,1\n" * 9, "one name, 'text', above rows of 2 values. Name each column"),
        (
            '"text,label"\n' + '"""a, b"",1"\n' * 9,
            "Received: quotes around whole lines, such as 'text,label'. Remove these",
        ),
    ],
)
def test_what_is_wrong_with_a_line_is_said_by_its_cause(tmp_path, content, message):
    path = written(tmp_path / "r.csv", content)
    with pytest.raises(DataError, match=message) as caught:
        list(open_table([path]).rows())
    assert "\n" not in str(caught.value)


BELOW = "".join(f"{n},a fine film no. {n},{('neg', 'pos')[n % 2]}\n" for n in range(9))


@pytest.mark.parametrize(
    ("title", "line"),
    [
        ("Ticket,,Rating\n", 2),  # merged cells of a spreadsheet
        ("Tickets,,\nGenerated: 2024-05-01,,\n,,\n", 4),
        ('Search terms\n"January 1, 2024 - January 31, 2024"\n\n', 4),
        ("# tool\n# version 2, build 3\n", 3),
    ],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_lines_above_the_names_are_refused_with_the_command_that_removes_them(
    tmp_path, monkeypatch, delimiter, title, line
):
    monkeypatch.chdir(tmp_path)
    content = (f"{title}id,text,label\n{BELOW}").replace(",", delimiter)
    path = written(tmp_path / "my r.csv", content)
    with pytest.raises(DataError, match=f"'id', 'text', 'label', on line {line}") as caught:
        open_table([path])
    command = str(caught.value).partition("above it: ")[2]
    subprocess.run(command, shell=True, check=True)
    rows = list(open_table([tmp_path / "my r-table.csv"]).rows(("text", "label")))
    assert [tuple(row.values) for row in rows][:2] == [
        ("a fine film no. 0", "neg"),
        ("a fine film no. 1", "pos"),
    ]
    assert len(rows) == 9


def test_of_a_file_in_utf_16_lines_are_removed_once_it_is_in_utf_8(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "r.csv"
    path.write_text(f"Tickets,,\nid,text,label\n{BELOW}", encoding="utf-16")
    with pytest.raises(DataError, match="on line 2") as caught:
        open_table([path])
    command = str(caught.value).rpartition("that file: python ")[2]
    subprocess.run(f"{sys.executable} {command}", shell=True, check=True)
    with pytest.raises(DataError, match=r"on line 2\. Remove the lines above it: tail -n "):
        open_table([tmp_path / "r-utf8.csv"])


@pytest.mark.parametrize(
    "content",
    [
        "text,label,\n" + "a fine film,pos,x\nb dull one,neg,y\n" * 9,
        ",text,label\n" + BELOW,
        "text,label,,\n" + "".join(f"film {n},{n % 2},,\n" for n in range(9)),
        "text;label\nGreat film, loved it;pos\n" + "It was a long bad film, so I left;neg\n" * 8,
        "text\nGreat film, loved it\n" + "It was a long bad film, so I left\n" * 8,
    ],
)
def test_rows_are_not_taken_for_the_names(tmp_path, content):
    assert len(list(open_table([written(tmp_path / "r.csv", content)]).rows())) in (9, 18)


@pytest.mark.parametrize("line", ["  ", "\t", "\x1a", " \r"])
def test_lines_of_spaces_and_the_end_sign_of_dos_are_no_rows(tmp_path, line):
    path = written(tmp_path / "r.csv", f"text,label\na b,1\n{line}\nc d,0\n\x1a")
    rows = list(open_table([path]).rows(("text", "label")))
    assert [list(row.values) for row in rows] == [["a b", "1"], ["c d", "0"]]
    assert [row.line for row in rows] == [2, 4]


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("Time,How good was the product that you bought?,Again?", "2024/1/{n},some words {n},Yes"),
        ("Time,How good was the product that you bought?", "2024/1/{n},some words {n}"),
        ("text,2023,label", "some words {n},{n},1"),
        (",0,1", "{n},some words {n},1"),
        ("0", "some words {n}"),
    ],
)
def test_long_names_and_numbers_may_be_names_of_columns(tmp_path, header, row):
    lines = [row.format(n=n) for n in range(60)]
    open_table([written(tmp_path / "r.csv", "\n".join([header, *lines]))]).check_header()


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        ("this film was as good as the {n}. one,1", "this film was"),
        ('"0","146{n}","Mon Apr 06","NO_QUERY","user{n}","is upset {n}"', "0"),
        ("this film was as good as the {n}. one", "this film was"),
        ("{n}\tnice {n}\t1", "0"),
    ],
)
def test_a_first_line_like_the_rows_below_is_refused_as_a_header(tmp_path, row, shown):
    path = written(tmp_path / "r.csv", "\n".join(row.format(n=n) for n in range(60)))
    with pytest.raises(DataError, match=f"must begin with a line of column names.*'{shown}"):
        open_table([path]).check_header()
