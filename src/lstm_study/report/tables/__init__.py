"""The tables of the report, made from records."""
