"""What shows a language in bytes of an unknown encoding: letters, frequent words, encodings."""

from dataclasses import dataclass

_WESTERN = ("cp1252", "mac_roman", "cp850", "iso8859_15")
_CENTRAL = ("cp1250", "iso8859_2", "cp852")
_CYRILLIC = ("cp1251", "koi8_r", "cp866", "mac_cyrillic", "iso8859_5")


@dataclass(frozen=True, slots=True)
class Language:
    """A language as its texts show it.

    Attributes:
        letters: Those beyond ASCII, the most frequent first; of scripts with thousands of letters
            some of the most frequent ones.
        words: Frequent words, and those of one letter.
        encodings: In which its texts are met.
        core: For a script with thousands of letters: the encoding that has only the usual ones.
    """

    letters: str
    words: frozenset[str]
    encodings: tuple[str, ...]
    core: str = ""


def _language(letters: str, words: str, encodings: tuple[str, ...], core: str = "") -> Language:
    return Language(letters, frozenset(words.split()), encodings, core)


ENGLISH = _language(
    "éñïèüöçêáíàóäâôåë",
    "the and i it is was of to in a this that my for not but with on you have are so very they be "
    "at one all as if just had from out me what like too by or good great get when bad no "
    "movie book there an we he she his her about would only will can more up what than really time "
    "it’s don’t "
    "à i’m didn’t i’ve doesn’t isn’t can’t",
    _WESTERN,
)
LANGUAGES = (
    ENGLISH,
    _language(
        "éàèêçôîûâùïœëüæÿ",
        "le la les de des du un une et est en que qui dans pour pas ce il je mais sur avec très à "
        "plus ne au film bien été c’est même sont par y où ça tout",
        _WESTERN,
    ),
    _language(
        "üäößé",
        "der die das und ist nicht ein eine ich zu es den mit von auf für sich dem im sehr war "
        "auch so aber film wie nach sind bei über hat gut nur schön noch",
        _WESTERN,
    ),
    _language(
        "óáíéñú¿¡ü",
        "de la que el en y los las se del un una por con no para es lo su muy me más está pero "
        "película al mi como así a o es también todo qué",
        _WESTERN,
    ),
    _language(
        "àèòùéìóíî",
        "di e il la che un in per una non è del si da le con ma i più film molto della mi sono gli "
        "lo al ho perché a o questo c’è può",
        _WESTERN,
    ),
    _language(
        "ãçéáíóêõâúàôü",
        "de a o que e do da em um não para com uma os no se na é muito mas por as filme eu bom "
        "mais foi ao à está são você ou já",
        _WESTERN,
    ),
    _language(
        "éëèïóöüáúíê",
        "de het een en van is dat niet in te op ik zijn met voor maar er om ook als aan was deze "
        "film heel goed bij heeft één",
        _WESTERN,
    ),
    _language(
        "äåöé",
        "och i att det som en är på av för den med inte jag var ett så men film bra om till har "
        "de från mycket å ö",
        _WESTERN,
    ),
    _language(
        "øåæéóèêòôü",
        "og i at det er en den på af av for til med ikke jeg som et men så var har film god om de "
        "meget veldig fra bra også å ø",
        _WESTERN,
    ),
    _language(
        "äöå",
        "ja on ei se että oli mutta en hyvä niin kun elokuva kuin jos ole tämä myös joka vain",
        _WESTERN,
    ),
    _language(
        "áíðéþóæúöý",
        "og að í á er ekki ég það sem var til en með mjög fyrir við af um svo á í ó",
        ("cp1252",),
    ),
    _language(
        "àéèíóòúïüç·",
        "de la el i que en és un una no amb per molt els les del però més pel·lícula què",
        _WESTERN,
    ),
    _language(
        "ëç",
        "të në e dhe i një për me që është nuk më ka si por shumë u do ky kjo ishte edhe",
        _WESTERN,
    ),
    _language(
        "äõöüšž",
        "ja on ei see et oli ma aga väga hea kui ka oma seda nii film mis pole",
        ("cp1252", "cp1257"),
    ),
    _language(
        "łęążśóćńź",
        "i w na z do nie to się jest że o jak ale film po od za co bardzo był tak dla ten mi już "
        "a u o tym",
        _CENTRAL,
    ),
    _language(
        "íáěéřýžčšůúťóňďäľĺŕô",
        "a se v na je to že o s z do i ale si za jsem pro film ve jak tak po by není velmi velmi "
        "k u som sa nie pre ako",
        _CENTRAL,
    ),
    _language(
        "áéöőóüíúű",
        "a az és nem hogy egy is ez de volt nagyon már csak meg film jó mint ha van ki én ő kell",
        _CENTRAL,
    ),
    _language(
        "ăîâţşțșé",
        "de a la şi în nu un o cu pe din este care mai film foarte o am fost că si in să pentru",
        _CENTRAL,
    ),
    _language(
        "čšžćđ",
        "i je u na se da za su ne od s film sam nije ali kao to o što iz jako bi sa in ki ni zelo "
        "tudi pa z v",
        _CENTRAL,
    ),
    _language(
        "ıüşğçöİâîû",
        "bir ve bu da de çok ne ama için film gibi daha en o iyi güzel ile var ben mi kadar olarak "
        "hiç",
        ("cp1254",),
    ),
    _language(
        "ėšųįžąūčęõ",
        "ir yra kad su į tai iš bet ne labai filmas ar o per kaip už nuo buvo man",
        ("cp1257",),
    ),
    _language(
        "āīēšņļūžķģč",
        "un ir ar no uz ka bet ļoti par man filma bija kas nav tas es tā to arī",
        ("cp1257",),
    ),
    _language(
        "\u0300\u0301đ\u0323\u0309âêưôơăàáéèóòúùíìýãõ\u0303",
        "phim này và không là có của cho một được những với các rất tôi hay trong thì mà quá",
        ("cp1258",),
    ),
    _language(
        "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфёъ",
        "и в не на что с я как но это то по а так все фильм очень за у о к мне было от из же бы "
        "для его ещё",
        _CYRILLIC,
    ),
    _language(
        "оаинівтерсклмдпуязьбгйчхцжїюєшщф",
        "і в не на що з я як але це та у дуже фільм за до й а о для так про все мені було",
        ("cp1251", "mac_cyrillic", "iso8859_5"),
    ),
    _language(
        "аеоитнврсдлкмпгъуязбчщжшхцйюфьјњљћђџ",
        "и на да се не е за в от с много но като това филм а си по ще са је у су од што со к о",
        ("cp1251", "mac_cyrillic", "iso8859_5"),
    ),
    _language(
        "αοιετνηρσκπςλμυίάόέγδήθχύφβώξωζψϊΐϋ",
        "και το να η την δεν που με είναι της για του ο ένα τα μια ταινία πολύ στο αλλά από σε ή",
        ("cp1253",),
    ),
    _language(
        "יוהלארתבשמנעחדקפםטסגזןכךצףץ",
        "של את לא זה על הוא סרט אני היה כל עם גם מאוד אבל כי יותר טוב ו ה ב",
        ("cp1255",),
    ),
    _language(
        "اليمونرتبةدعسفهكقحجشطصخىأضذغزثءئإؤظآپچگژ،؟\u064b",
        "في من على لا هذا الفيلم ما جدا و كان أن لم هذه كل إلى مع هو عن",
        ("cp1256", "iso8859_6"),
    ),
    _language(
        "านรอกเง่้มยลวดทสตะปบิีหแคัจพชใไขู์ำุโึผซณธศถษฟภื็ฉฐญฆฮฝๆ",
        "และ ที่ ไม่ เป็น มี ได้ ของ",
        ("cp874",),
    ),
    _language(
        "的一是不了在有我这很个人也就到都没好和他说来看要还大上那你下得多去电影时给小可能子会过对"
        "后以里起东西买质量用太但想自己们天点些真比什么次服务店吃味道",
        "",
        ("gb18030",),
        "gb2312",
    ),
    _language(
        "的一是不了在有我這很個人也就到都沒好和他說來看要還大上那你下得多去電影時給小可能子會過對"
        "後以裡起東西買質量用太但想自己們天點些真比什麼次服務店吃味道",
        "",
        ("big5",),
        "big5",
    ),
    _language(
        "のいてにとたしるでなはをがまかもすりっれこらうきあよくそだつみさおけんわせめどえじょ"
        "ーンスルトラリイクアドシジレフムコタテロカマ最高人良悪品大日本一見面白作画中行出分時食味点店"
        "買思今回何気物不満足年子美普通",
        "",
        ("cp932", "euc_jp"),
        "euc_jp",
    ),
    _language(
        "이다는고지에하을가도은의정한로나리사기어영화요만서아해들게보면습니인그있없안자것좋스라ㅋㅎㅠㅜ",
        "",
        ("cp949",),
        "euc_kr",
    ),
)
ENCODINGS = tuple(dict.fromkeys(name for each in LANGUAGES for name in each.encodings))
"""The likelier first where two read the same."""
