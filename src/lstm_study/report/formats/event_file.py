"""TensorBoard's event files, written without TensorFlow: records with checksums, messages within.

Only what scalars and hyperparameters need. The messages are TensorFlow's and TensorBoard's own,
declared here field by field, because neither package is needed for a report.

Source: tensorflow/core/lib/io/record_writer.h (framing, masked CRC-32C);
    tensorflow/core/util/event.proto; tensorflow/core/framework/summary.proto;
    tensorboard/plugins/hparams/{api,plugin_data}.proto.
"""

import struct
from collections.abc import Mapping
from functools import cache
from typing import Any

_PACKAGE = "lstm_study_events"
_STRING, _DOUBLE, _FLOAT, _INT64, _INT32, _BYTES, _MESSAGE, _ENUM = 9, 1, 2, 3, 5, 12, 11, 5
_OPTIONAL, _REPEATED = 1, 3
Field = tuple[str, int, int, int, str]
_FIELDS: Mapping[str, tuple[Field, ...]] = {
    "PluginData": (
        ("plugin_name", 1, _STRING, _OPTIONAL, ""),
        ("content", 2, _BYTES, _OPTIONAL, ""),
    ),
    "SummaryMetadata": (("plugin_data", 1, _MESSAGE, _OPTIONAL, "PluginData"),),
    "Value": (
        ("tag", 1, _STRING, _OPTIONAL, ""),
        ("simple_value", 2, _FLOAT, _OPTIONAL, ""),
        ("metadata", 9, _MESSAGE, _OPTIONAL, "SummaryMetadata"),
    ),
    "Summary": (("value", 1, _MESSAGE, _REPEATED, "Value"),),
    "Event": (
        ("wall_time", 1, _DOUBLE, _OPTIONAL, ""),
        ("step", 2, _INT64, _OPTIONAL, ""),
        ("file_version", 3, _STRING, _OPTIONAL, ""),
        ("summary", 5, _MESSAGE, _OPTIONAL, "Summary"),
    ),
    "Scalar": (
        ("number_value", 2, _DOUBLE, _OPTIONAL, ""),
        ("string_value", 3, _STRING, _OPTIONAL, ""),
    ),
    "Entry": (
        ("key", 1, _STRING, _OPTIONAL, ""),
        ("value", 2, _MESSAGE, _OPTIONAL, "Scalar"),
    ),
    "SessionStart": (
        ("hparams", 1, _MESSAGE, _REPEATED, "Entry"),
        ("group_name", 4, _STRING, _OPTIONAL, ""),
        ("start_time_secs", 5, _DOUBLE, _OPTIONAL, ""),
    ),
    "SessionEnd": (
        ("status", 1, _ENUM, _OPTIONAL, ""),
        ("end_time_secs", 2, _DOUBLE, _OPTIONAL, ""),
    ),
    "MetricName": (
        ("group", 1, _STRING, _OPTIONAL, ""),
        ("tag", 2, _STRING, _OPTIONAL, ""),
    ),
    "MetricInfo": (
        ("name", 1, _MESSAGE, _OPTIONAL, "MetricName"),
        ("display_name", 3, _STRING, _OPTIONAL, ""),
    ),
    "HParamInfo": (
        ("name", 1, _STRING, _OPTIONAL, ""),
        ("display_name", 2, _STRING, _OPTIONAL, ""),
        ("type", 4, _ENUM, _OPTIONAL, ""),
    ),
    "Experiment": (
        ("hparam_infos", 4, _MESSAGE, _REPEATED, "HParamInfo"),
        ("metric_infos", 5, _MESSAGE, _REPEATED, "MetricInfo"),
    ),
    "HParamsPluginData": (
        ("version", 1, _INT32, _OPTIONAL, ""),
        ("experiment", 2, _MESSAGE, _OPTIONAL, "Experiment"),
        ("session_start_info", 3, _MESSAGE, _OPTIONAL, "SessionStart"),
        ("session_end_info", 4, _MESSAGE, _OPTIONAL, "SessionEnd"),
    ),
}
# The members of a oneof are written even when they are zero.
_ONEOFS = {"Value": "simple_value", "Scalar": "number_value", "Event": "summary"}
_CASTAGNOLI = 0x82F63B78


def message(kind: str, /, **values: Any) -> Any:
    """Makes one message.

    Args:
        kind: A key of the declarations above.
        values: Its fields; lists for repeated ones, messages for nested ones.
    """
    return _classes()[kind](**values)


def framed(events: list[Any]) -> bytes:
    """Frames events as the records of an event file, the version first."""
    version = message("Event", wall_time=events[0].wall_time if events else 0.0,
                      file_version="brain.Event:2")  # fmt: skip
    return b"".join(_record(event.SerializeToString()) for event in [version, *events])


def _record(data: bytes) -> bytes:
    length = struct.pack("<Q", len(data))
    return length + struct.pack("<I", _masked(length)) + data + struct.pack("<I", _masked(data))


def _masked(data: bytes) -> int:
    value = crc32c(data)
    return (((value >> 15) | (value << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def crc32c(data: bytes) -> int:
    """Takes the CRC-32C: b"123456789" → 0xE3069283.

    Source: RFC 3720, appendix B.4.
    """
    table, value = _crc_table(), 0xFFFFFFFF
    for byte in data:
        value = table[(value ^ byte) & 0xFF] ^ (value >> 8)
    return value ^ 0xFFFFFFFF


@cache
def _crc_table() -> tuple[int, ...]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (_CASTAGNOLI if value & 1 else 0)  # noqa: PLW2901
        table.append(value)
    return tuple(table)


@cache
def _classes() -> dict[str, Any]:
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    file = descriptor_pb2.FileDescriptorProto(
        name=f"{_PACKAGE}.proto", package=_PACKAGE, syntax="proto3"
    )
    for name, declared in _FIELDS.items():
        kind = file.message_type.add(name=name)
        if name in _ONEOFS:
            kind.oneof_decl.add(name="what")
        for field_name, number, field_type, label, nested in declared:
            field = kind.field.add(name=field_name, number=number, type=field_type, label=label)
            if nested:
                field.type_name = f".{_PACKAGE}.{nested}"
            if field_name == _ONEOFS.get(name):
                field.oneof_index = 0
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}"))
        for name in _FIELDS
    }
