"""What a chief and crews elsewhere say to each other: names, headers, messages."""

import json
import os
from typing import Any

SERVICE = "lstm_study.Chief"
TOKEN_HEADER = "authorization"  # noqa: S105 - the name of the header, not a secret
CREW_HEADER = "lstm-study-crew"
# A chief is on this machine or its own network: no proxy that the environment names is in between.
CHANNEL_OPTIONS = (("grpc.enable_http_proxy", 0),)

BEAT_SECONDS = 1.0
CREW_SILENCE_VARIABLE = "LSTM_STUDY_CREW_SILENCE_SECONDS"
CHIEF_SILENCE_VARIABLE = "LSTM_STUDY_CHIEF_SILENCE_SECONDS"


def crew_silence_seconds() -> float:
    """How long a crew may be silent before its chief gives its trials to others.

    Longer than `chief_silence_seconds` and a worker's end together, so that a crew cut off from its
    chief has ended before anyone else begins with its trials.
    """
    return float(os.environ.get(CREW_SILENCE_VARIABLE, "60"))


def chief_silence_seconds() -> float:
    """How long a chief may be silent before a crew ends."""
    return float(os.environ.get(CHIEF_SILENCE_VARIABLE, "10"))


def packed(values: dict[str, Any]) -> bytes:
    """Returns a message as it crosses the wire."""
    return json.dumps(values).encode()


def unpacked(message: bytes) -> dict[str, Any]:
    """Reads a message.

    Raises:
        ValueError: It is not one of ours.
    """
    values = json.loads(message)
    if not isinstance(values, dict):
        raise ValueError(f"not a message: {message[:80]!r}")
    return values
