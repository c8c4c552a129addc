"""Tests of event files without TensorFlow; `tests/keras/test_event_files.py` reads them with it."""

from pathlib import Path

from lstm_study.report.formats.event_file import crc32c, framed, message
from lstm_study.report.formats.tensorboard import event_files, write_tensorboard
from tests.support.fake_study import completed_study, failed_study


def test_the_checksum_is_that_of_the_standard() -> None:
    # RFC 3720, appendix B.4, and the check value of the CRC catalogue.
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(bytes([0xFF] * 32)) == 0x62A8AB43


def test_a_scalar_of_zero_is_written_too() -> None:
    assert message("Value", tag="a", simple_value=0.0).SerializeToString() == (
        b"\x0a\x01a\x15\x00\x00\x00\x00"
    )


def test_a_file_begins_with_its_version() -> None:
    assert b"brain.Event:2" in framed([])[:60]


def test_every_trial_and_run_has_a_file_and_equal_records_give_equal_bytes() -> None:
    study = failed_study()
    files = event_files(study)
    assert len(files) == 1 + len(study.trials) + len(study.runs)
    assert files == event_files(failed_study())


def test_a_second_writing_replaces_the_first(tmp_path: Path) -> None:
    write_tensorboard(failed_study(), folder=tmp_path)
    old = tmp_path / "tensorboard" / "search" / "old"
    old.mkdir()
    folder = write_tensorboard(completed_study(), folder=tmp_path)
    assert not old.exists()
    assert len(list(folder.rglob("events.out.tfevents.*"))) == 1 + 23 + 8
    assert [path.name for path in tmp_path.iterdir()] == ["tensorboard"]
