import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_study.corpus.text.tokens import FILTERS, number_words, rank_words, split_tokens

REVIEWS = st.lists(st.text(max_size=60), max_size=12)


def _slowly(text: str) -> list[str]:
    lowered = "".join(" " if character in FILTERS else character for character in text.lower())
    return [word for word in lowered.split(" ") if word]


def test_words_are_lower_case_and_free_of_punctuation_but_keep_the_apostrophe():
    assert split_tokens("It's GREAT!<br />See-it, 10/10") == [
        "it's", "great", "br", "see", "it", "10", "10",
    ]  # fmt: skip


def test_only_the_space_splits_words_as_in_keras():
    assert split_tokens("a\u00a0b c\rd e\x1cf g\x85h") == ["a\u00a0b", "c\rd", "e\x1cf", "g\x85h"]


def test_letters_beyond_ascii_are_lowered_and_kept():
    assert split_tokens("ÉTÉ, Straße – naïve") == ["été", "straße", "–", "naïve"]


@settings(max_examples=50)
@given(st.text())
def test_any_text_splits_as_the_obvious_rule_splits_it(text):
    if text.encode("utf-8", "replace").decode("utf-8") == text:
        assert split_tokens(text) == _slowly(text)


@settings(max_examples=50)
@given(REVIEWS)
def test_numbers_lead_back_to_the_words(texts):
    numbered = number_words([text.encode("utf-8", "replace") for text in texts])
    for review, text in enumerate(texts):
        numbers = numbered.numbers[numbered.offsets[review] : numbered.offsets[review + 1]]
        words = [numbered.words[number] for number in numbers]
        assert words == split_tokens(text)


def test_ranks_follow_frequency_and_then_first_appearance():
    #      c  b  a  b  c  d: b and c twice, c first; then a, d
    numbers = np.array([2, 1, 0, 1, 2, 3], dtype=np.int32)
    assert rank_words(numbers, 5).tolist() == [3, 2, 1, 4, 0]


def test_bytes_that_are_not_utf8_are_refused():
    with pytest.raises(UnicodeDecodeError):
        number_words([b"caf\xe9"])


@pytest.mark.parametrize(
    "space",
    [
        "\r",
        "\x0b",
        "\x1c",
        "\x85",
        "\xa0",
        "\u2009",
        "\u200b",
        "\u200e",
        "\u2066",
        "\u3000",
        "\ufeff",
        "\x00",
    ],
)
def test_every_space_and_control_character_separates_users_own_words(space):
    assert split_tokens(f"Ein{space}schöner{space}{space}Film", "words") == [
        "ein",
        "schöner",
        "film",
    ]
    assert split_tokens(f"one{space}two", "words") == ["one", "two"]
    assert split_tokens(f"一{space}二", "characters") == ["一", "二"]


def test_typographic_punctuation_separates_users_own_words_and_apostrophes_are_one():
    assert split_tokens("I don’t, “good”… café—yes ‘fine’ ¿Qué? «été» 很好。看", "words") == [
        "i", "don't", "good", "café", "yes", "fine", "qué", "été", "很好", "看",
    ]  # fmt: skip
    assert split_tokens("rock’n’roll don´t м’ята мʼята ’90s l·l", "words") == [
        "rock'n'roll", "don't", "м'ята", "м'ята", "'90s", "l·l",
    ]  # fmt: skip


def test_symbols_are_tokens_of_their_own_however_they_look():
    assert split_tokens("good😊 Brand™ 5€ 4½ 👍🏽 ❤️ ❤︎ 👩\u200d💻", "words") == [
        "good", "😊", "brand", "™", "5", "€", "4½", "👍", "🏽", "❤", "❤", "👩", "💻",
    ]  # fmt: skip


def test_joiners_that_belong_to_words_do_not_separate():
    assert split_tokens("می\u200cخواهم soft\u00adware", "words") == [
        "می\u200cخواهم",
        "soft\u00adware",
    ]


@given(st.text(st.characters(max_codepoint=126, min_codepoint=32)))
def test_for_plain_text_the_rule_for_own_files_is_kerass(text):
    assert split_tokens(text, "words") == split_tokens(text, "keras")


def test_texts_are_equal_where_only_white_space_differs():
    texts = (b"a film", b"a  film\n", b"A film", b"a film!")
    digests = number_words(texts, rule="words").text_digests
    assert digests[0] == digests[1]
    assert len(set(digests.tolist())) == 3
