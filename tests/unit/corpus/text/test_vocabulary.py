import numpy as np
import pytest

from lstm_study.corpus.text.vocabulary import Vocabulary

VOCABULARY = Vocabulary(("the", "film", "it's"))


def test_the_most_frequent_word_has_id_4_and_the_size_is_above_every_id():
    assert VOCABULARY.ids == {"the": 4, "film": 5, "it's": 6}
    assert VOCABULARY.size == 7


def test_a_text_is_encoded_with_its_start_and_without_words_never_seen():
    token_ids = VOCABULARY.encode("It's THE unheard-of film!")
    assert token_ids.dtype == np.int32
    assert token_ids.tolist() == [1, 6, 4, 5]


def test_an_empty_text_is_a_start_token():
    assert VOCABULARY.encode("").tolist() == [1]


def test_half_a_character_in_a_text_is_no_word():
    assert VOCABULARY.encode("the \ud800 film").tolist() == [1, 4, 5]


def test_padding_and_start_are_not_decoded_and_cut_words_are_marked():
    assert VOCABULARY.decode([0, 0, 1, 4, 2, 3, 5]) == "the [OOV] [OOV] film"


def test_reserved_ids_have_names_and_ids_beyond_the_words_are_refused():
    assert [VOCABULARY.word(token) for token in range(5)] == [
        "",
        "[START]",
        "[OOV]",
        "[OOV]",
        "the",
    ]
    with pytest.raises(IndexError, match=r"\[0, 6\]. Received: 7"):
        VOCABULARY.word(7)
    with pytest.raises(IndexError):
        VOCABULARY.word(-1)


def test_a_vocabulary_of_characters_splits_and_joins_characters():
    vocabulary = Vocabulary(("好", "看", "a"), "characters")
    assert vocabulary.encode("很 好看 A").tolist() == [1, 4, 5, 6]
    assert vocabulary.decode([1, 4, 5]) == "好看"
