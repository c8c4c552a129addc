import errno
import hashlib
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from lstm_study.corpus.sources.download import download
from lstm_study.errors import DataError, DigestError

CONTENT = bytes(range(256)) * 2_000


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path.startswith("/missing"):
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        cut = self.path.startswith("/cut")
        self.wfile.write(CONTENT[: len(CONTENT) // 2] if cut else CONTENT)

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


DIGEST = hashlib.sha256(CONTENT).hexdigest()


def test_a_file_comes_whole_and_nothing_is_printed(server, tmp_path, capfd):
    path = download(f"{server}/whole/imdb.npz", folder=tmp_path, digest=DIGEST)
    assert path == tmp_path / "imdb.npz"
    assert path.read_bytes() == CONTENT
    assert capfd.readouterr().err == ""


def test_another_file_is_refused_with_both_digests_and_not_kept(server, tmp_path):
    with pytest.raises(DigestError, match=DIGEST) as caught:
        download(f"{server}/whole/imdb.npz", folder=tmp_path, digest="0" * 64)
    assert "0" * 64 in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_download_leaves_nothing(server, tmp_path):
    with pytest.raises(DataError, match="could not be downloaded") as caught:
        download(f"{server}/cut/imdb.npz", folder=tmp_path, digest=DIGEST)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_download_is_replaced_and_a_whole_one_kept(server, tmp_path):
    path = tmp_path / "imdb.npz"
    path.write_bytes(CONTENT[:-1])
    assert download(f"{server}/whole/imdb.npz", folder=tmp_path, digest=DIGEST) == path
    assert path.read_bytes() == CONTENT
    # Nothing is asked of the server then.
    assert download(f"{server}/missing/imdb.npz", folder=tmp_path, digest=DIGEST) == path


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_in_a_downloads_place_is_named(server, tmp_path, make):
    make(tmp_path / "imdb.npz")
    with pytest.raises(DataError, match=r"imdb\.npz: must be a file"):
        download(f"{server}/whole/imdb.npz", folder=tmp_path, digest=DIGEST)


def test_a_full_disk_is_told_from_a_network_that_fails(server, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pooch.core.shutil.move", full)
    with pytest.raises(DataError, match=r"cannot be written .* Free space"):
        download(f"{server}/whole/imdb.npz", folder=tmp_path, digest=DIGEST)


def test_ctrl_c_during_a_download_leaves_nothing(server, tmp_path, monkeypatch):
    def interrupted(*_, **__):
        yield CONTENT[:1_000]
        raise KeyboardInterrupt

    monkeypatch.setattr(requests.Response, "iter_content", interrupted)
    with pytest.raises(KeyboardInterrupt):
        download(f"{server}/whole/imdb.npz", folder=tmp_path, digest=DIGEST)
    assert list(tmp_path.iterdir()) == []


def test_no_server_and_no_file_are_known_errors(server, tmp_path):
    with pytest.raises(DataError, match="404"):
        download(f"{server}/missing/imdb.npz", folder=tmp_path, digest=DIGEST)
    with pytest.raises(DataError, match="could not be downloaded"):
        download("http://127.0.0.1:9/imdb.npz", folder=tmp_path, digest=DIGEST)
    assert list(tmp_path.iterdir()) == []
