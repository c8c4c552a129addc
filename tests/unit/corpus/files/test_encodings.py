"""Encodings: proved, guessed with a sample, or refused with the line."""

import pytest

from lstm_study.corpus.files import encodings
from lstm_study.corpus.files.table import open_table
from lstm_study.errors import DataError

TEXTS = {
    "gb18030": "这部电影很好看，演员也非常出色，我和朋友都很喜欢。剧情有点无聊，但是画面漂亮极了。",
    "cp1251": "Очень хороший и тёплый фильм, актёры прекрасны, но сюжет показался мне скучным.",
    "cp932": "とても良い映画でした。また見たいと思います。ただし、物語は少しつまらない。",
    "cp949": "정말 재미있는 영화였고 배우들의 연기도 훌륭했습니다. 이야기는 조금 지루했습니다.",
    "big5": "這部電影非常好看，演員的表演也很出色。可是劇情有一點無聊，音樂倒是很動聽。",
    "cp1252": "Un très bon film, déjà vu mais charmant – “l’acteur” est génial, à voir ici.",
    "cp1253": "Μια πολύ καλή ταινία με εξαιρετικούς ηθοποιούς, αλλά η ιστορία ήταν λίγο βαρετή.",
    "cp1250": "Bardzo dobry film, świetni aktorzy, choć fabuła była trochę nudna i zbyt długa.",
    "cp1254": "Çok güzel bir film, oyuncular şahane, ama hikâye biraz sıkıcıydı, uzun değildi.",
}


def written(path, text, encoding):
    rows = "".join(f"{text} no{n},{n % 2}\n" for n in range(40))
    path.write_bytes(f"text,label\n{rows}".encode(encoding))
    return path


def first_text(path, **options):
    return str(next(iter(open_table([path], **options).rows(("text",)))).values[0])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_what_a_file_says_or_proves_is_no_guess(tmp_path, encoding):
    path = written(tmp_path / "r.csv", "Café ñ good", encoding)
    assert first_text(path) == "Café ñ good no0"
    assert open_table([path]).guesses == ()


@pytest.mark.parametrize("encoding", TEXTS)
def test_other_encodings_are_read_right_or_refused_with_an_option_that_works(tmp_path, encoding):
    text = TEXTS[encoding].replace(",", "")
    path = written(tmp_path / "r.csv", text, encoding)
    try:
        table = open_table([path])
    except DataError as error:
        assert "Name its encoding with data.encoding" in str(error)
        assert first_text(path, encoding=encoding) == f"{text} no0"
        return
    ((_, found),) = table.guesses
    assert first_text(path) == f"{text} no0"
    assert 0 < found.confidence < 1
    assert any(part and part in text for part in found.sample.split())


def test_most_of_these_are_read_without_being_named(tmp_path):
    read = 0
    for encoding, text in TEXTS.items():
        try:
            read += bool(open_table([written(tmp_path / f"{encoding}.csv", text, encoding)]))
        except DataError:
            continue
    assert read >= 7


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le"])
@pytest.mark.parametrize("text", ["a good film", "很好 的 电影"])
def test_wide_letters_without_a_mark_are_recognised(tmp_path, encoding, text):
    assert first_text(written(tmp_path / "r.csv", text, encoding)) == f"{text} no0"


def test_one_bad_byte_in_utf_8_is_named_by_its_line_and_can_be_read_as_a_sign(tmp_path):
    path = written(tmp_path / "r.csv", "a café", "utf-8")
    raw = path.read_bytes().replace(b"caf\xc3\xa9 no17", b"caf\x9d no17")
    path.write_bytes(raw)
    with pytest.raises(DataError, match=r"r.csv:19: is not UTF-8 \(byte 0x9d\)") as caught:
        open_table([path])
    assert "utf-8-replace" in str(caught.value)
    texts = [row.values[0] for row in open_table([path], encoding="utf-8-replace").rows(("text",))]
    assert texts[17] == "a caf\ufffd no17"


@pytest.mark.parametrize(
    ("raw", "encoding", "message"),
    [
        (b"text,label\ngood,1\ncaf\xe9,1\n", "utf-8", r"r.csv:3: is not utf-8 \(byte 0xe9\)"),
        (b"text,label\n", "klingon", "encoding that Python knows. Received: 'klingon'"),
        (b"\x7fELF\0\0\0", None, "holds zero bytes"),
        (b"\xff\xfea", "utf-16", "is not utf-16"),
    ],
)
def test_bytes_that_do_not_fit_the_encoding_are_found_by_line(tmp_path, raw, encoding, message):
    path = tmp_path / "r.csv"
    path.write_bytes(raw)
    with pytest.raises(DataError, match=message):
        list(open_table([path], encoding=encoding).rows())


def test_a_byte_order_mark_is_no_part_of_the_first_column_even_where_utf_8_is_given(tmp_path):
    path, lines = tmp_path / "reviews.csv", tmp_path / "reviews.jsonl"
    path.write_bytes("text,label\ngood,1\n".encode("utf-8-sig"))
    lines.write_bytes('{"text": "good", "label": "1"}\n'.encode("utf-8-sig"))
    for each in (path, lines):
        assert first_text(each, encoding="utf-8") == "good"


def test_bytes_that_are_no_text_deep_in_the_file_are_found_too(tmp_path):
    path = tmp_path / "r.csv"
    path.write_bytes(b"text,label\n" + b"good word,1\n" * 200_000 + b"caf\xe9,1\n")
    with pytest.raises(DataError, match=r"r\.csv:200002: is not utf-8"):
        list(open_table([path], encoding="utf-8").rows())


DOS = ("cp1252", "mac_roman", "cp850")
LATIN = {
    "cs": ("Ztráta času, hrozný děj a špatná řeč, žádný vtip.", ("cp1250", "iso8859_2")),
    "pl": (
        "Świetny film, żółta łódź i ćma, całość się podobała.",
        ("cp1250", "iso8859_2", "cp852"),
    ),
    "hu": ("Őszinte és fűszeres film, gyűlölöm az őrült időket.", ("cp1250",)),
    "de": (
        "Ein schöner Film, für alle und überhaupt große Klasse.",
        ("cp1252", "mac_roman", "cp850"),
    ),
    "fr": ("Très ému, déjà vu à éviter, déçu par ce français.", DOS),
    "en": ("It\u2019s a \u201cfine\u201d film \u2013 I don\u2019t lie.", ("cp1252",)),
}


@pytest.mark.parametrize(
    ("language", "encoding"), [(name, each) for name in LATIN for each in LATIN[name][1]]
)
def test_latin_encodings_are_told_apart_by_the_letters_of_languages(tmp_path, language, encoding):
    text = LATIN[language][0].replace(",", "")
    assert first_text(written(tmp_path / "r.csv", text, encoding)) == f"{text} no0"


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("iso2022_jp", "とても良い映画でした"),
        ("iso2022_kr", "정말 재미있는 영화"),
        ("cp866", "Очень хороший и тёплый фильм"),
        ("iso8859_5", "Очень хороший и тёплый фильм"),
    ],
)
def test_rarer_encodings_are_read(tmp_path, encoding, text):
    path = written(tmp_path / "r.csv", text, encoding)
    assert first_text(path) == f"{text} no0"
    assert open_table([path]).guesses


def test_behind_a_mark_of_utf_8_no_other_encoding_is_advised(tmp_path):
    path = tmp_path / "r.csv"
    path.write_bytes(b"\xef\xbb\xbftext,label\ncaf\xe9,1\n")
    with pytest.raises(DataError, match=r"r\.csv:2: is not utf-8-sig .*utf-8-replace"):
        first_text(path)
    assert first_text(path, encoding="utf-8-replace") == "caf\ufffd"


@pytest.mark.parametrize("name", ["klingon", "utf\0", "undefined", "base64", ""])
def test_a_name_that_is_no_encoding_is_refused(name):
    with pytest.raises(DataError, match="must be an encoding that Python knows"):
        encodings.given_encoding(name, "r.csv")


@pytest.mark.parametrize("in_utf_8", [5, 20, 40])
def test_lines_in_two_encodings_are_refused_unless_one_is_named(tmp_path, in_utf_8):
    lines = [f"Un film très ému et déjà vu {n},1\n" for n in range(90)]
    encoded = [
        line.encode("utf-8" if n % 90 < in_utf_8 else "cp1252") for n, line in enumerate(lines)
    ]
    path = tmp_path / "r.csv"
    path.write_bytes(b"text,label\n" + b"".join(encoded))
    with pytest.raises(DataError, match=rf"as {in_utf_8} other lines are.*cp1252") as caught:
        open_table([path])
    assert f"r.csv:{in_utf_8 + 2}: is not UTF-8" in str(caught.value)
    assert len(list(open_table([path], encoding="cp1252").rows())) == 90


def test_single_letters_of_chinese_may_look_like_utf_8(tmp_path):
    # In GB 18030 the first of the two labels is bytes that UTF-8 has, too.
    lines = [
        f"{'模' if n % 2 else '很好喜欢温暖的电影'},{n}\n".encode("gb18030") for n in range(90)
    ]
    (tmp_path / "r.csv").write_bytes(b"text,label\n" + b"".join(lines))
    assert first_text(tmp_path / "r.csv") == "很好喜欢温暖的电影"
