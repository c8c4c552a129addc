import gzip
import tarfile

import pytest

from lstm_study.corpus.documents import TEST, TRAIN
from lstm_study.corpus.load import load
from lstm_study.corpus.sources import aclimdb
from lstm_study.corpus.sources.source import Located
from lstm_study.errors import DataError
from lstm_study.spec import DataTable
from tests.support.reviews import archive_files, cut_gzip, write_archive


def read(path, **settings):
    located = Located(paths=(path,), shown="", sha256="", content_sha256="")
    data = DataTable(source="aclimdb", path=str(path), **settings)
    return aclimdb.read_documents(located, data=data)


def _texts(documents) -> list[str]:
    return [
        " ".join(documents.words[number] for number in documents.numbers[start:stop])
        for start, stop in zip(documents.offsets[:-1], documents.offsets[1:], strict=True)
    ]


def _archive(tmp_path, **changed: bytes | None):
    files = archive_files() | {f"aclImdb/{name}": content for name, content in changed.items()}
    return write_archive(tmp_path / "aclImdb_v1.tar.gz", files)


def test_reviews_come_with_half_label_id_and_stars_in_a_fixed_order(tmp_path):
    files = {
        "aclImdb/test/pos/7_10.txt": b"Test good",
        "aclImdb/train/pos/2_8.txt": "Café <br />good".encode(),
        "aclImdb/train/neg/10_1.txt": b"Bad ten",
        "aclImdb/train/neg/9_4.txt": b"Bad nine",
        "aclImdb/train/unsup/3_0.txt": b"unlabelled",
        "aclImdb/imdb.vocab": b"the",
    }
    documents = read(write_archive(tmp_path / "a.tar.gz", files))
    assert documents.document_ids.tolist() == [
        "train/neg/10", "train/neg/9", "train/pos/2", "test/pos/7",
    ]  # fmt: skip
    assert _texts(documents) == ["bad ten", "bad nine", "café br good", "test good"]
    assert documents.ratings.tolist() == [1, 4, 8, 10]
    assert documents.labels.tolist() == [0, 0, 1, 1]
    assert documents.roles.tolist() == [TRAIN, TRAIN, TRAIN, TEST]


@pytest.mark.parametrize("kind", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_usual_kind_of_tar_reads_the_same(tmp_path, kind):
    path = write_archive(tmp_path / "a.tar.gz", archive_files(), kind=kind)
    assert len(read(path).labels) == 80


def test_folder_and_plain_tar_read_as_the_archive_does(tmp_path):
    path = _archive(tmp_path)
    archived = read(path)
    with tarfile.open(path) as archive:
        archive.extractall(tmp_path, filter="data")
    plain = tmp_path / "plain.tar"
    plain.write_bytes(gzip.decompress(path.read_bytes()))
    for other in (tmp_path, tmp_path / "aclImdb", plain):
        documents = read(other)
        assert _texts(documents) == _texts(archived)
        assert documents.document_ids.tolist() == archived.document_ids.tolist()


def test_a_folders_digest_follows_its_reviews(tmp_path):
    with tarfile.open(_archive(tmp_path)) as archive:
        archive.extractall(tmp_path, filter="data")
    before = aclimdb.folder_sha256(tmp_path)
    assert aclimdb.folder_sha256(tmp_path) == before
    review = tmp_path / "aclImdb" / "train" / "neg" / "0_3.txt"
    review.write_bytes(review.read_bytes().upper())
    assert aclimdb.folder_sha256(tmp_path) != before


@pytest.mark.parametrize("share", [0.001, 0.3, 0.7, 0.999])
def test_a_truncated_archive_is_refused_wherever_it_ends(tmp_path, share):
    path = cut_gzip(_archive(tmp_path), share=share)
    with pytest.raises(DataError, match=r"tar.gz: is truncated or damaged") as caught:
        read(path)
    assert "\n" not in str(caught.value)


def test_a_tar_cut_between_two_reviews_is_refused(tmp_path):
    raw = gzip.decompress(_archive(tmp_path).read_bytes())
    with tarfile.open(tmp_path / "aclImdb_v1.tar.gz") as archive:
        last = archive.getmembers()[-1].offset
    (tmp_path / "cut.tar").write_bytes(raw[:last])
    with pytest.raises(DataError, match="end mark is missing"):
        read(tmp_path / "cut.tar")


@pytest.mark.parametrize(
    "name", ["../../etc/train/pos/1_9.txt", "/etc/train/pos/1_9.txt", "a/../b"]
)
def test_names_that_lead_out_of_the_archive_are_refused(tmp_path, name):
    path = write_archive(tmp_path / "a.tar.gz", archive_files() | {name: b"x"})
    with pytest.raises(DataError, match="leads out of the archive"):
        read(path)


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE]
)
def test_links_and_devices_are_refused(tmp_path, kind):
    member = tarfile.TarInfo("aclImdb/train/pos/77_9.txt")
    member.type, member.linkname = kind, "/etc/passwd"
    path = write_archive(tmp_path / "a.tar.gz", archive_files(), members=[member])
    with pytest.raises(DataError, match=r"77_9.txt must be a file. Received: a link or a device"):
        read(path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("train/pos/77_9.txt", b"x" * (1 << 21), "77_9.txt must hold at most 1048576 bytes"),
        ("train/pos/77_9.txt", b"caf\xe9", "77_9.txt must be UTF-8"),
        ("train/pos/77_9.txt", b"", "77_9.txt: a review must hold words"),
        ("train/pos/77_9.txt", b"?!", "77_9.txt: a review must hold words"),
    ],
)
def test_a_review_that_cannot_be_one_is_named(tmp_path, name, content, message):
    with pytest.raises(DataError, match=message):
        read(_archive(tmp_path, **{name: content}))


def test_a_review_that_is_there_twice_is_refused(tmp_path):
    files = archive_files() | {"./aclImdb/train/neg/0_3.txt": b"again"}
    with pytest.raises(DataError, match="occurs twice"):
        read(write_archive(tmp_path / "a.tar.gz", files))


def test_a_changed_header_is_found_by_its_check_sum(tmp_path):
    raw = bytearray(gzip.decompress(_archive(tmp_path).read_bytes()))
    raw[3] ^= 1
    (tmp_path / "changed.tar").write_bytes(raw)
    with pytest.raises(DataError, match="bad checksum"):
        read(tmp_path / "changed.tar")


def test_what_is_no_archive_and_what_holds_no_reviews_are_told_apart(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        read(tmp_path / "missing.tar.gz")
    (tmp_path / "noise.tar.gz").write_bytes(b"noise" * 300)
    with pytest.raises(DataError, match="not a tar archive"):
        read(tmp_path / "noise.tar.gz")
    empty = write_archive(tmp_path / "empty.tar.gz", {"aclImdb/README": b"x"})
    with pytest.raises(DataError, match=r"must hold reviews as train/pos/ID_RATING.txt"):
        read(empty)
    with pytest.raises(DataError, match="must hold train/neg/"):
        read(tmp_path)


@pytest.mark.parametrize("kind", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_names_too_long_for_a_plain_header_are_read_whole(tmp_path, kind):
    folder = "a" * 120
    files = {f"{folder}/{name}": content for name, content in archive_files().items()}
    documents = read(write_archive(tmp_path / "a.tar.gz", files, kind=kind))
    assert len(documents.labels) == 80


def test_a_header_damaged_after_the_first_review_does_not_end_the_archive_early(tmp_path):
    raw = bytearray(gzip.decompress(_archive(tmp_path).read_bytes()))
    with tarfile.open(tmp_path / "aclImdb_v1.tar.gz") as archive:
        raw[archive.getmembers()[40].offset + 3] ^= 1
    (tmp_path / "changed.tar").write_bytes(raw)
    with pytest.raises(DataError, match=r"is truncated or damaged.*bad checksum"):
        read(tmp_path / "changed.tar")


def test_headers_that_would_fill_the_memory_or_the_stack_are_refused(tmp_path):
    long_name = tarfile.TarInfo("././@LongLink")
    long_name.type, long_name.size = tarfile.GNUTYPE_LONGNAME, 5 << 30
    header = long_name.tobuf(tarfile.GNU_FORMAT)
    (tmp_path / "large.tar").write_bytes(header + bytes(1 << 20))
    with pytest.raises(DataError, match="a header of 5368709120 bytes"):
        read(tmp_path / "large.tar")
    long_name.size = 1
    nested = (long_name.tobuf(tarfile.GNU_FORMAT) + b"a".ljust(512, b"\0")) * 50_000
    (tmp_path / "nested.tar").write_bytes(nested)
    with pytest.raises(DataError, match="is truncated or damaged"):
        read(tmp_path / "nested.tar")
    negative = bytearray(tarfile.TarInfo("aclImdb/train/neg/9_1.txt").tobuf())
    negative[124:136] = b"\xff" * 12
    total = sum(negative[:148]) + 8 * 32 + sum(negative[156:])
    negative[148:156] = f"{total:06o}\0 ".encode()
    (tmp_path / "negative.tar").write_bytes(bytes(negative) + bytes(1024))
    with pytest.raises(DataError, match="a header of -1 bytes"):
        read(tmp_path / "negative.tar")


def _with_films():
    files = archive_files()
    for half in ("train", "test"):
        for label in ("neg", "pos"):
            lines = [f"http://www.imdb.com/title/tt{n // 10:07d}/usercomments" for n in range(40)]
            files[f"aclImdb/{half}/urls_{label}.txt"] = "\n".join(lines).encode()
    return files


def test_the_films_of_the_archives_lists_are_groups_that_keep_to_one_split(tmp_path):
    path = write_archive(tmp_path / "a.tar.gz", _with_films())
    documents = read(path, group_column="film")
    films = [int(name.split("/")[2]) // 10 for name in documents.document_ids]
    assert len(set(documents.groups.tolist())) == 4
    for one, group in zip(films, documents.groups.tolist(), strict=True):
        assert group == documents.groups[films.index(one)]
    assert read(path).groups is None
    data = DataTable(source="aclimdb", path=str(path), group_column="film", validation_fraction=0.3)
    corpus = load(data, seed=3, cache=tmp_path / "cache")
    sides = [
        {int(str(name).split("/")[2]) // 10 for name in split.document_ids}
        for split in (corpus.train, corpus.validation)
    ]
    assert not sides[0] & sides[1]
    assert corpus.summary.groups == 4
    with tarfile.open(path) as archive:
        archive.extractall(tmp_path, filter="data")
    unpacked = read(tmp_path / "aclImdb", group_column="film")
    assert len(set(unpacked.groups.tolist())) == 4


def test_an_archive_without_a_list_of_films_is_refused_where_groups_are_asked_for(tmp_path):
    with pytest.raises(DataError, match=r"must hold train/urls_neg.txt.*Remove data.group_column"):
        read(write_archive(tmp_path / "a.tar.gz", archive_files()), group_column="film")
