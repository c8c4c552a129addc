"""Texts that are UTF-8 read as Windows-1252 are told from those that are not."""

import pytest

from lstm_study.corpus.text.garbled import garbled_word, ungarbled

TEXTS = ["un café noir", "it’s “warm” – really", "schöne Grüße", "цена 5 €", "niño…", "很好的电影"]


def garbled(text: str) -> str:
    return "".join(
        chr(byte) if byte in (0x81, 0x8D, 0x8F, 0x90, 0x9D) else bytes([byte]).decode("cp1252")
        for byte in text.encode()
    )


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_is_garbled_or_not(text):
    assert garbled_word(text) == ""
    word = garbled_word(garbled(text))
    assert word
    assert ungarbled(word) in text


@pytest.mark.parametrize("text", ["NÃO É", "Â£5", "100Â°", "Ã€", "â", "ÃÂ" * 9, "a" * 100_000])
def test_what_may_be_text_is_looked_at_once(text):
    assert garbled_word(text) in ("", "Â£5", "100Â°", "Ã€")
