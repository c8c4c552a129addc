"""The values of a split column: which rows they put into train, validation and test."""

import re
from typing import Any

from lstm_study.corpus.files.names import ROLES
from lstm_study.corpus.sources.label_values import label_key

_FLAG = re.compile(r"(?:is|in)[_ ]?(train|test)(?:ing)?", re.IGNORECASE)
_TRUE, _FALSE = ("1", "true", "yes"), ("0", "false", "no")


def role_of_value(value: Any, column: str) -> str:
    """Returns what a value of a split column says: train, validation or test; "" for neither.

    Example:
        >>> role_of_value("Dev", "split"), role_of_value("0", "is_train")
        ('validation', 'test')
    """
    name = label_key(value)
    flag = _FLAG.fullmatch(column)
    if flag is None or name in ROLES:
        return ROLES.get(name, "")
    roles = ("test", "train") if flag[1].lower() == "train" else ("train", "test")
    return roles[name in _TRUE] if name in (*_TRUE, *_FALSE) else ""
