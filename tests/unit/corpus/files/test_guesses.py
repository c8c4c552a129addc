"""Guessed encodings: languages × encodings, English with few signs, and bytes that are no text."""

import random

import pytest

from lstm_study.corpus.files.encodings import find_encoding
from lstm_study.corpus.files.guesses import readings
from lstm_study.corpus.files.languages import ENCODINGS, LANGUAGES
from lstm_study.errors import DataError

WESTERN = ("cp1252", "mac_roman", "cp850")
CENTRAL = ("cp1250", "iso8859_2", "cp852")
REVIEWS = {
    "fr": (
        WESTERN,
        "Très bon film, déjà vu mais charmant.",
        "Aucun intérêt, j'ai été déçu par la fin",
        "La qualité est là, mais le prix est élevé",
    ),
    "de": (
        WESTERN,
        "Ein schöner Film für die ganze Familie",
        "Leider völlig überbewertet",
        "Sehr gute Qualität und schnelle Lieferung, danke schön",
    ),
    "es": (
        WESTERN,
        "Una película muy buena, la recomiendo",
        "¡Qué maravilla! Mi niño está encantado",
        "Llegó rápido, pero después de un mes dejó de funcionar",
    ),
    "it": (
        WESTERN,
        "È un film che non si può perdere",
        "La qualità è buona ma il prezzo è alto",
        "Perché è già rotto, così così",
    ),
    "pt": (
        WESTERN,
        "Um filme muito bom, não percam",
        "A história é péssima e os atores também",
        "Produto de ótima qualidade, a atuação é excelente",
    ),
    "nl": (
        ("cp1252",),
        "Eén scène is te lang, maar het is een mooie film",
        "Ideeën genoeg, maar de uitvoering is slecht",
        "Voor €20 is het geen ‘must’ van de regisseur",
    ),
    "sv": (
        WESTERN,
        "En mycket bra film för hela familjen",
        "Skådespelarna är dåliga och handlingen är tråkig",
        "Jag älskade den här boken, den är så rolig",
    ),
    "da": (
        WESTERN,
        "En rigtig god film for hele familien, også for børn",
        "Skuespillerne er dårlige, og handlingen er kedelig",
        "Det er den værste film, jeg har set i år",
    ),
    "fi": (
        WESTERN,
        "Erittäin hyvä elokuva koko perheelle",
        "Näyttelijät ovat huonoja ja tarina on tylsä",
        "Se hajosi heti käytössä",
    ),
    "is": (
        ("cp1252",),
        "Mjög góð mynd fyrir alla fjölskylduna",
        "Leikararnir eru slæmir og sagan er leiðinleg",
        "Þetta er versta mynd sem ég hef séð",
    ),
    "pl": (
        CENTRAL,
        "Świetny film, polecam całej rodzinie",
        "Aktorzy grają źle, a fabuła jest nudna",
        "Książka jest piękna, ale trochę za krótka",
    ),
    "cs": (
        CENTRAL,
        "Skvělý film pro celou rodinu",
        "Herci hrají špatně a děj je nudný",
        "Rychlé doručení, po dvou dnech škoda peněz",
    ),
    "hu": (
        CENTRAL,
        "Nagyon jó film az egész családnak",
        "A színészek rosszak, és a történet unalmas",
        "A könyv gyönyörű, de egy kicsit rövid, őszintén",
    ),
    "ro": (
        ("cp1250", "iso8859_2"),
        "Un film foarte bun pentru toată familia",
        "Actorii joacă prost şi povestea este plictisitoare",
        "Livrare rapidă şi calitate bună, mulţumesc",
    ),
    "hr": (
        ("cp1250", "iso8859_2"),
        "Odličan film za cijelu obitelj",
        "Glumci su loši, a priča je dosadna, šteta",
        "Brza dostava i dobra kvaliteta, još ću naručiti, možda",
    ),
    "tr": (
        ("cp1254",),
        "Çok güzel bir film, herkese tavsiye ederim",
        "Oyuncular kötü ve hikâye sıkıcı",
        "Hızlı kargo ve iyi kalite, teşekkürler",
    ),
    "lt": (
        ("cp1257",),
        "Labai geras filmas visai šeimai",
        "Blogiausias filmas, kokį esu matęs",
        "Knyga graži, bet šiek tiek per trumpa, ačiū",
    ),
    "lv": (
        ("cp1257",),
        "Ļoti laba filma visai ģimenei",
        "Aktieri spēlē slikti, un stāsts ir garlaicīgs",
        "Ātra piegāde un laba kvalitāte, paldies",
    ),
    "ru": (
        ("cp1251", "koi8_r", "cp866", "mac_cyrillic", "iso8859_5"),
        "Очень хороший фильм, всем советую",
        "Актёры играют плохо, а сюжет скучный",
        "Быстрая доставка и хорошее качество, спасибо",
    ),
    "uk": (
        ("cp1251",),
        "Дуже гарний фільм, усім раджу",
        "Актори грають погано, а сюжет нудний",
        "Швидка доставка та добра якість, дякую",
    ),
    "el": (
        ("cp1253",),
        "Πολύ καλή ταινία για όλη την οικογένεια",
        "Δεν μου άρεσε, πολύ μεγάλη και αργή",
        "Γρήγορη παράδοση και καλή ποιότητα, ευχαριστώ",
    ),
    "he": (
        ("cp1255",),
        "סרט טוב מאוד לכל המשפחה",
        "השחקנים גרועים והסיפור משעמם",
        "משלוח מהיר ואיכות טובה, תודה",
    ),
    "ar": (
        ("cp1256",),
        "فيلم جيد جدا لكل العائلة",
        "الممثلون سيئون والقصة مملة",
        "توصيل سريع وجودة جيدة، شكرا",
    ),
    "th": (
        ("cp874",),
        "หนังดีมากสำหรับทั้งครอบครัว",
        "นักแสดงแย่และเนื้อเรื่องน่าเบื่อ",
        "ส่งเร็วและคุณภาพดี ขอบคุณค่ะ",
    ),
    "zh": (
        ("gb18030",),
        "这部电影很好看，演员也非常出色",
        "质量太差了，用了两天就坏了",
        "物流很快，包装也不错，五星好评",
    ),
    "zh-Hant": (
        ("big5",),
        "這部電影非常好看，演員的表演也很出色",
        "品質太差了，用了兩天就壞了",
        "房間很小，隔音不好，早餐普通",
    ),
    "ja": (
        ("cp932", "euc_jp"),
        "とても良い映画でした。また見たいと思います。",
        "二日で壊れました。おすすめしません",
        "ホテルの部屋が狭くて、サービスも悪い",
    ),
    "ko": (
        ("cp949",),
        "정말 재미있는 영화였고 배우들의 연기도 훌륭했습니다",
        "이틀 만에 고장났어요. 추천하지 않습니다",
        "음악이 너무 좋다 ㅋㅋㅋ",
    ),
}
SIGNS = (
    "I gave it 3½ stars",
    "½ of the pills were broken",
    "My Brand™ thing broke after two days",
    "Works as they say, Kleenex® is better",
    "The 5×7 prints are fine",
    "It cost me 50¢ at the store",
    "• Good sound and the bass is deep",
    "It was 90° outside",
    "Paid £20 for this and it broke",
    "They promise 10 m² and ±2 degrees",
    "Don´t buy this one",
    "© 2012 by the author of the book",
    "Wait… what was that ending",
    "This is a film—a bad one—about dogs",
    "It was a £££ rip off",
    "She said “no” – and that’s that",
    "it’s a “Brand™”",
    "I didn’t like it. no7 some words",
    "The café was closed, and the naïve cast is good",
    "El Niño was the only song I liked",
)


def guess(raw):
    lines = raw.splitlines(keepends=True)
    return find_encoding(lambda: iter(lines), place=lambda number: f"r.csv:{number}")


def table(texts, encoding):
    rows = "".join(f"{text},{number % 2}\n" for number, text in enumerate(texts))
    return f"text,label\nplain words,1\n{rows}".encode(encoding)


@pytest.mark.parametrize(
    ("language", "encoding"), [(name, each) for name in REVIEWS for each in REVIEWS[name][0]]
)
def test_three_reviews_are_read_in_their_encoding(language, encoding):
    raw = table(REVIEWS[language][1:], encoding)
    found = guess(raw)
    assert raw.decode(found.name) == raw.decode(encoding)
    assert found.is_guess


@pytest.mark.parametrize(
    ("language", "encoding"), [(name, REVIEWS[name][0][0]) for name in REVIEWS]
)
def test_so_they_are_among_much_ascii_and_in_capitals(language, encoding):
    reviews = [text.replace('"', "") for text in REVIEWS[language][1:]]
    records = [f'{{"review_id": "R{n}", "text": "{each}"}}' for n, each in enumerate(reviews)]
    for texts in (records, [text.upper() for text in reviews]):
        raw = table(texts, encoding)
        assert raw.decode(guess(raw).name) == raw.decode(encoding)


@pytest.mark.parametrize("text", SIGNS)
@pytest.mark.parametrize("rows", [1, 20])
def test_english_with_one_sign_is_cp1252_and_nearly_sure_at_most(text, rows):
    found = guess(table([text] * rows, "cp1252"))
    assert found.name == "cp1252"
    assert found.confidence <= 0.97


@pytest.mark.parametrize("text", ["good ® thing", "a ½ cup", "3× better", "piñata", "nº 5"])
def test_lines_of_ascii_tell_the_language_too(text):
    plain = [f"it was the best of all that I have seen no{number}" for number in range(30)]
    assert guess(table([*plain, text], "cp1252")).name == "cp1252"


@pytest.mark.parametrize("sign", "™®½×¢•°²é")
def test_one_sign_among_typographic_apostrophes_changes_nothing(sign):
    rows = [f"I didn’t like it. no{number} some words" for number in range(200)]
    rows[100] = f"My Brand {sign} thing broke"
    assert guess(table(rows, "cp1252")).name == "cp1252"


@pytest.mark.parametrize(
    ("encoding", "texts"),
    [
        ("cp932", ["ﾃﾞｻﾞｲﾝ が とても 良いです", "ｻｲｽﾞ も ぴったり でした"]),
        ("euc_jp", ["最高", "最悪", "普通", "大満足", "良品", "不良品 返品"]),
        ("gb18030", ["好", "很好", "不错", "垃圾", "还行"]),
        ("cp949", ["좋아요", "별로", "최고", "비추"]),
        ("cp949", ["재밌다 ^^", "아 쓰레기 ㅠㅠ", "★★★★★ 최고"]),
        ("gb18030", ["iPhone手机 quality 很好 good", "The phone 不错 works fine"]),
    ],
)
def test_short_texts_in_scripts_of_many_letters_are_read(encoding, texts):
    assert guess(table(texts, encoding)).name == encoding


def test_english_of_an_old_mac_is_told_by_its_quotes():
    rows = ["I don’t think it’s “fun” – really…", "They’re in a café, and we’ve seen it"]
    found = guess(table(rows, "mac_roman"))
    assert (found.name, found.sample) == ("mac_roman", "I don’t think it’s “fun” – really…,0 The")


def test_confidence_grows_with_the_number_of_different_clues():
    one, many = (
        guess(table(rows, "cp1252")).confidence for rows in (SIGNS[2:3], REVIEWS["fr"][1:])
    )
    assert one <= 0.8 < 0.95 < many <= 0.99


def test_what_may_as_well_be_another_encoding_is_refused_with_both_readings():
    with pytest.raises(DataError, match=r"may be .* \(it would read .*, or .*Name its encoding"):
        guess(table(["poslije žao"], "iso8859_2"))


def test_bytes_that_are_no_text_are_no_encoding():
    drawn = random.Random(0)
    raw = bytes(drawn.randrange(1, 256) for _ in range(2_000))
    assert readings(raw) == []
    with pytest.raises(DataError, match="its encoding cannot be detected"):
        guess(b"text\n" + raw)


@pytest.mark.parametrize("shift", [0, 1])
def test_a_long_line_that_is_cut_within_a_letter_of_two_bytes_is_read(shift):
    text = "x" * shift + "".join(REVIEWS["zh"][1:]) * 1_000
    assert guess(table([text], "gb18030")).name == "gb18030"


@pytest.mark.parametrize("text", ["Cliché", "Hmm…", "Fun”"])
def test_a_text_that_ends_in_a_letter_beyond_ascii_ends_in_no_half_letter(text):
    assert guess(text.encode("cp1252")).name == "cp1252"


def test_texts_without_an_end_of_line_stay_apart():
    texts = [each.encode("cp1252") for each in ("Hm…", "Well…", "That was dull…")]
    found = find_encoding(lambda: iter(texts), place=str)
    assert (found.name, found.sample) == ("cp1252", "Hm… Well… That was dull…")


def test_probabilities_of_all_readings_add_up_to_one():
    found = readings("Très bon film, déjà vu".encode("cp1252"))
    assert sum(each.probability for each in found) == pytest.approx(1)
    assert found == sorted(found, key=lambda each: -each.probability)


def test_every_language_names_letters_once_that_its_encodings_have():
    for language in LANGUAGES:
        assert len(set(language.letters)) == len(language.letters)
        assert not language.letters[:1].isascii()
        assert any(letter.encode(language.encodings[0]) for letter in language.letters[:1])
    assert ENCODINGS[0] == "cp1252"
