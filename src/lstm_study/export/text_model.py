"""The model that takes raw text: our tokenising as TensorFlow operations, before the network.

A TensorFlow SavedModel, because Keras's own format has no layer that tokenises by this rule:
`TextVectorization` lower-cases only ASCII, and deletes punctuation where a space must stand.
`keras.layers.TFSMLayer(folder, call_endpoint="serve")` and `tf.saved_model.load(folder)` read it.
"""

from pathlib import Path
from typing import Any

from lstm_study.configuration import Configuration
from lstm_study.corpus.text.pairs import FIRST, PairVocabulary
from lstm_study.corpus.text.tokens import (
    APOSTROPHES,
    FILTERS,
    PUNCTUATION,
    SEPARATORS,
    SYMBOLS,
    VARIANTS,
)
from lstm_study.corpus.text.vocabulary import OUT_OF_VOCABULARY, PADDING, START, Vocabulary
from lstm_study.export.network import quietly
from lstm_study.spec.sources import TokenRule

_UNKNOWN = -1
# Their lower case depends on the locale in the Unicode library that TensorFlow uses.
_BY_LOCALE = "İÌÍĨĮ"
# Unicode's last code point, which never stands for a letter.
_NUL = "\U0010ffff"


def write_text_model(
    folder: Path,
    *,
    network: Any,
    configuration: Configuration,
    vocabulary: Vocabulary,
    pairs: PairVocabulary | None = None,
) -> None:
    """Writes a SavedModel from texts, string [batch], to probabilities, float32 [batch, 1].

    Its words are those of `corpus.text.tokens.split_tokens`, its token ids those of
    `Vocabulary.encode`, cut and padded as by `corpus.batches`. The network is a plain one, its
    weights set, built with `use_cudnn=False`; the vocabulary holds all words of the training
    reviews.

    Raises:
        OSError: The folder can't be written.
    """
    import tensorflow as tf

    table, pair_table = _table(vocabulary), None if pairs is None else _pair_table(pairs)
    lowered, rule = _lowered_otherwise(), vocabulary.rule

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="texts")])  # type: ignore[untyped-decorator]
    def tokenise(texts: Any) -> Any:
        ids = _token_ids(texts, table, lowered, rule=rule)
        kept = tf.where(
            ids.flat_values < configuration.vocabulary_size, ids.flat_values, OUT_OF_VOCABULARY
        )
        token_ids = _padded(tf, ids.with_flat_values(kept), maxlen=configuration.maxlen)
        if pair_table is None:
            return token_ids
        return [token_ids, _padded(tf, _pair_ids(tf, ids, pair_table), maxlen=configuration.maxlen)]

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="texts")])  # type: ignore[untyped-decorator]
    def serve(texts: Any) -> Any:
        return network(tokenise(texts), training=False)

    module = tf.Module(name="sentiment_lstm_text")
    module.tables = [table] if pair_table is None else [table, pair_table]
    module.network_variables = [variable.value for variable in network.variables]
    module.tokenise = tokenise
    module.serve = serve
    try:
        with quietly():
            tf.saved_model.save(module, str(folder), signatures={"serving_default": serve})
    except tf.errors.OpError as error:
        raise OSError(error.message) from error


def _table(vocabulary: Vocabulary) -> Any:
    import tensorflow as tf

    words = vocabulary.ids
    return tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(
            tf.constant(list(words), dtype=tf.string, shape=[len(words)]),
            tf.constant(list(words.values()), dtype=tf.int32, shape=[len(words)]),
        ),
        default_value=_UNKNOWN,
    )


def _pair_table(pairs: PairVocabulary) -> Any:
    import tensorflow as tf

    keys = [(int(first) << 32) | int(second) for first, second in pairs.pairs]
    return tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(
            tf.constant(keys, dtype=tf.int64, shape=[len(keys)]),
            tf.range(FIRST, FIRST + len(keys), dtype=tf.int64),
        ),
        default_value=OUT_OF_VOCABULARY,
    )


def _token_ids(texts: Any, table: Any, lowered: dict[str, str], *, rule: TokenRule) -> Any:
    """Returns the ids of all known words, the start's before them, int32 [batch, (tokens)]."""
    import tensorflow as tf

    texts = _lower(texts, lowered)
    if rule == "characters":
        texts = tf.strings.regex_replace(texts, _ranges(SEPARATORS), "")
        words = tf.strings.unicode_split(texts, "UTF-8")
    else:
        if rule == "words":
            apostrophe = rf"{_ranges(APOSTROPHES)}([\pL\pN])"
            texts = tf.strings.regex_replace(texts, apostrophe, r"'\1")
        texts = tf.strings.regex_replace(texts, _any_of(FILTERS), " ")
        if rule == "words":
            symbol = f"({_ranges(SYMBOLS)}){_ranges(VARIANTS)}*"
            texts = tf.strings.regex_replace(texts, symbol, r" \1 ")
            texts = tf.strings.regex_replace(texts, _ranges(SEPARATORS + PUNCTUATION), " ")
        # An empty word is in no vocabulary, so runs of spaces need no care.
        words = tf.strings.split(texts, sep=" ")
    ids = tf.ragged.map_flat_values(table.lookup, words)
    ids = tf.ragged.boolean_mask(ids, ids != _UNKNOWN)
    return tf.concat([tf.fill([ids.nrows(), 1], START), ids], axis=1)


def _pair_ids(tf: Any, ids: Any, table: Any) -> Any:
    """Returns the id of each token's pair, with the token before it, int32 [batch, (tokens)]."""
    before = tf.concat([tf.fill([ids.nrows(), 1], 0), ids[:, :-1]], axis=1)
    firsts, seconds = tf.cast(before.flat_values, tf.int64), tf.cast(ids.flat_values, tf.int64)
    keys = tf.bitwise.bitwise_or(tf.bitwise.left_shift(firsts, tf.constant(32, tf.int64)), seconds)
    return ids.with_flat_values(tf.cast(table.lookup(keys), tf.int32))


def _padded(tf: Any, ids: Any, *, maxlen: int) -> Any:
    """Returns the last ids of each text, padded in front, int32 [batch, maxlen]."""
    from_the_end = ids[:, ::-1][:, :maxlen]
    return tf.reverse(from_the_end.to_tensor(PADDING, shape=[None, maxlen]), axis=[1])


def _lower(texts: Any, lowered: dict[str, str]) -> Any:
    """Lowers UTF-8 as `str.lower` does, in any locale: first ASCII, for a Turkish I has no dot.

    With one exception: a capital sigma beside one of the few letters that the library does not
    know may end as the sigma of a word's end where Python has the other, or the reverse.
    """
    import tensorflow as tf

    texts = tf.strings.lower(texts)
    for upper, lower in lowered.items():
        texts = tf.strings.regex_replace(texts, upper, lower)
    # Lowering in UTF-8 ends a text at its first NUL, so that is put aside.
    texts = tf.strings.regex_replace(texts, r"\x00", _NUL)
    return tf.strings.regex_replace(tf.strings.lower(texts, encoding="utf-8"), _NUL, "\0")


def _lowered_otherwise() -> dict[str, str]:
    """Finds letters that Python lowers and TensorFlow's Unicode library does not, or not always.

    The library is of an older Unicode version than Python's: it lacks a few dozen letters.
    """
    import tensorflow as tf

    uppers = [
        letter
        for code in range(0x80, 0x110000)
        if not 0xD800 <= code < 0xE000 and (letter := chr(code)).lower() != letter
    ]
    known = tf.strings.lower(tf.constant(uppers), encoding="utf-8").numpy()
    return {
        upper: upper.lower()
        for upper, lower in zip(uppers, known, strict=True)
        if upper in _BY_LOCALE or lower.decode("utf-8") != upper.lower()
    }


def _ranges(ranges: str) -> str:
    """Returns a regular expression (RE2) for any one character of some ranges."""
    return "[" + "".join(c if c == "-" else f"\\x{{{ord(c):x}}}" for c in ranges) + "]"


def _any_of(characters: str) -> str:
    """Returns a regular expression (RE2) for any one of some ASCII characters."""
    return "[" + "".join(f"\\x{ord(character):02x}" for character in characters) + "]"
