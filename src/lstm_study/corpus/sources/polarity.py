"""Which of a user's labels are positive and which negative, by what the labels say."""

import re
from collections.abc import Mapping, Sequence

from lstm_study.corpus.files.advice import option
from lstm_study.corpus.sources.label_values import as_number, label_key
from lstm_study.errors import DataError

# English, German, Dutch, French, Spanish, Italian, Portuguese, Russian, Ukrainian, Polish, Czech,
# Hungarian, Turkish, Finnish, Swedish, Danish and Norwegian (whose words for good are others in
# English), Greek, Hebrew, Persian, Hindi, Thai, Chinese, Japanese, Korean, Arabic; pictures.
_GOOD = """
    positive pos good great excellent awesome amazing fresh like liked love loved happy
    favorable favourable satisfied recommended best agree agreed pros
    advantages strengths positiv gut zufrieden positief
    goed tevreden positif bon bien positivo bueno satisfecho buono soddisfatto bom satisfeito
    положительный положительно позитивный позитив хорошо хороший позитивний pozytywny dobry
    pozitivní dobrý pozitív jó olumlu pozitif iyi positiivinen hyvä θετικό θετική חיובי مثبت
    सकारात्मक บวก 正面 积极 好评 好 ポジティブ 良い 긍정 إيجابي 👍 😊 🙂 😀 😃 😄 😁 😍 ❤ ♥ ☺ 💚
"""
_BAD = """
    negative neg bad terrible poor awful horrible rotten dislike disliked sad unhappy angry
    unfavorable unfavourable unsatisfied dissatisfied worst disagree disagreed cons
    disadvantages weaknesses negativ schlecht
    unzufrieden negatief slecht ontevreden négatif negatif mauvais mal negativo malo
    insatisfecho cattivo insoddisfatto ruim mau insatisfeito отрицательный отрицательно
    негативный негатив плохо плохой негативний negatywny zły negativní špatný negatív rossz olumsuz
    kötü negatiivinen huono dålig dårlig αρνητικό αρνητική שלילי منفی नकारात्मक ลบ 负面 消极 差评 差
    ネガティブ 悪い 부정 سلبي 👎 😡 🙁 😞 😢 😠 😭 😣 ☹ 💔
"""
_YES = """
    + p true t yes y up accept accepted favor favour pro wahr ja vrai oui verdadero sí si vero
    sim да истина tak evet 是 はい ✅ ✔ ✓
"""
_NO = """
    - n false f no down reject rejected against contra falsch nein nee faux non falso
    não нет ложь nie hayır 否 いいえ ❌ ✘ ✗
"""
_NOT = frozenset(("not", "no", "non", "never", "nicht", "kein", "keine", "не"))
_NEGATION = re.compile(r"(?:not|non?|un|in|im|ir|il|dis|anti|nicht|keine?|не)[\s_-]*")
_OUT_OF = re.compile(r"(\d+(?:[.,]\d+)?)(?:\s*/\s*|\s+(?:out )?of\s+|\s+von\s+)(\d+)(?![\d.,])")
_NUMBER_IN = re.compile(r"(?:(?<![^\s(])[+-])?\d+(?:[.,]\d+)?")
_STARS = re.compile(r"([★⭐*]+)[☆\s]*")
_WORD = re.compile(r"[^\W\d_]+")
_NUMERALS = {
    word: float(number)
    for number, word in enumerate(
        ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    )
}
_SKIN = dict.fromkeys(range(0x1F3FB, 0x1F400))
_DIGITS = 9
_LONGEST = 200

_OPINIONS = {label_key(word): 1 for word in _GOOD.split()} | {
    label_key(word): -1 for word in _BAD.split()
}
_TONES = (
    {label_key(word): 1 for word in _YES.split()}
    | {label_key(word): -1 for word in _NO.split()}
    | _OPINIONS
)
_PICTURES = {word: tone for word, tone in _OPINIONS.items() if not word.isalnum()}


def order_labels(
    values: tuple[str, str], *, positive_label: str | None, where: str
) -> tuple[str, str]:
    """Returns two label values, the negative one first.

    `positive_label` decides. Without it: of two numbers or ratings ("4 stars", "2/5") the higher is
    positive; else a usual word of some languages ("positive", "yes", "gut", ..., or their
    opposites) decides, in any case; else the negation of the other label is negative ("toxic",
    "non-toxic"); else the last in the alphabet is positive, which `chosen_by_alphabet` says.

    Raises:
        DataError: `positive_label` is neither value.

    Example:
        >>> order_labels(("pos", "neg"), positive_label=None, where="reviews.csv")
        ('neg', 'pos')
        >>> order_labels(("10", "9"), positive_label=None, where="reviews.csv")
        ('9', '10')
    """
    low, high = sorted(values)
    if positive_label is not None:
        by_key = {label_key(value): value for value in values}
        if label_key(positive_label) not in by_key:
            raise DataError(
                f"{where}: {option('positive_label')} must be one of the labels {low!r} and "
                f"{high!r}. Received: {positive_label!r}."
            )
        positive = by_key[label_key(positive_label)]
    else:
        positive = low if _order(low, high) < 0 else high
    return (high if positive == low else low), positive


def chosen_by_alphabet(names: Sequence[str], *, is_named: bool = False) -> str:
    """Says that only the alphabet chose the positive one of two labels, and how to name it.

    Args:
        names: The two labels.
        is_named: Whether a user named the positive or the negative one.

    Returns:
        A sentence without its full stop; "" if something else chose.
    """
    if is_named or _order(names[0], names[1]):
        return ""
    low, high = order_labels((names[0], names[1]), positive_label=None, where="")
    return (
        f"{high!r} is taken as the positive label by alphabetical order; name another with "
        f"{option('positive', (low,))}"
    )


def has_opinions(names: Sequence[str]) -> bool:
    """Returns whether labels say that something is good and bad, beyond yes and no."""
    tones = {_tone(name, _OPINIONS) for name in names}
    return {1, -1} <= tones


def proposed_sides(counts: Mapping[str, int]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Proposes which of three or more labels are positive and which negative.

    Numbers, also in words ("4 stars", "4 out of 5", "★★", "four"), are split at the middle of their
    range, which is left out; words by what they mean; of others the two most frequent are proposed.

    Example:
        >>> proposed_sides({"1": 3, "2": 3, "3": 9, "4": 3, "5": 1})
        (('4', '5'), ('1', '2'))
    """
    names = list(counts)
    numbers = {name: number for name in names if (number := rating_of(name)) is not None}
    most = 2 * sum(counts[name] for name in numbers) > sum(counts.values())
    if most and len(set(numbers.values())) > 1:
        ordered = sorted(numbers, key=lambda name: (numbers[name], name))
        middle = round((min(numbers.values()) + max(numbers.values())) / 2, _DIGITS)
        return (
            tuple(name for name in ordered if numbers[name] > middle),
            tuple(name for name in ordered if numbers[name] < middle),
        )
    positive = tuple(name for name in names if _tone(name) > 0)
    negative = tuple(name for name in names if _tone(name) < 0)
    if positive and negative:
        return positive, negative
    first, second = sorted(names, key=lambda name: -counts[name])[:2]
    negative_one, positive_one = order_labels((first, second), positive_label=None, where="")
    return (positive_one,), (negative_one,)


def perhaps_unlabelled(names: Sequence[str]) -> str | None:
    """Returns the label that may mean none: beside 0 and 1 a third number, such as -1 or 9.

    Example:
        >>> perhaps_unlabelled(["0", "1", "-1"]), perhaps_unlabelled(["0", "1", "2"])
        ('-1', None)
    """
    numbers = {as_number(name): name for name in names}
    others = [number for number in numbers if number not in (0, 1)]
    if len(names) != 3 or len(others) != 1 or others[0] is None or 0 <= others[0] <= 2:
        return None
    return numbers[others[0]]


def rating_of(name: str) -> float | None:
    """Returns the number in a label, of "4/5" and "4 out of 5" the share; None without just one.

    Example:
        >>> rating_of("4 stars"), rating_of("3 out of 4"), rating_of("★★☆☆☆"), rating_of("good")
        (4.0, 0.75, 2.0, None)
    """
    key = label_key(name)[:_LONGEST]
    if key in ("true", "false"):
        return float(key == "true")
    if stars := _STARS.fullmatch(key):
        return float(len(stars[1]))
    shares = _OUT_OF.findall(key)
    if len(shares) == 1 and int(shares[0][1]):
        number = as_number(shares[0][0])
        return None if number is None else round(number / int(shares[0][1]), _DIGITS)
    found = _NUMBER_IN.findall(key)
    if not found:
        numerals = [_NUMERALS[word] for word in _WORD.findall(key) if word in _NUMERALS]
        return numerals[0] if len(numerals) == 1 else None
    return as_number(found[0] if len(found) == 1 else key)


def _order(low: str, high: str) -> int:
    """Returns 1 if the second is the positive one of two labels, -1 if the first; 0 if unknown."""
    first, second = rating_of(low), rating_of(high)
    if first is not None and second is not None and first != second and _unit(low) == _unit(high):
        return 1 if second > first else -1
    tones = _tone(low), _tone(high)
    if tones[0] != tones[1]:
        return 1 if tones[1] > tones[0] else -1
    return _is_negation(low, high) - _is_negation(high, low)


def _unit(name: str) -> str:
    """Returns what is left of a label without its number: "star" of "5 stars"."""
    words = [word for word in _WORD.findall(label_key(name)) if word not in _NUMERALS]
    return "" if words in (["true"], ["false"]) else " ".join(words).rstrip("s")


def _is_negation(name: str, other: str) -> bool:
    """Returns whether a label negates the other one: "non-toxic", "toxic"."""
    key, other_key = label_key(name), label_key(other)
    before = key.removesuffix(other_key)
    return before != key and _NEGATION.fullmatch(before) is not None


def _tone(name: str, tones: Mapping[str, int] = _TONES) -> int:
    """Returns whether a label is good (1) or bad (-1), as a whole or by the words in it."""
    key = label_key(name).translate(_SKIN)
    if key in tones:
        return tones[key]
    total = sum(_PICTURES.get(character, 0) for character in key)
    sign = 1
    for word in _WORD.findall(key):
        total += sign * _OPINIONS.get(word, 0)
        sign = -1 if word in _NOT else 1
    return (total > 0) - (total < 0)
