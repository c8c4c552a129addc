"""How strictly pydantic reads records back: types as declared, no unknown fields, no NaN."""

from pydantic import ConfigDict

STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
