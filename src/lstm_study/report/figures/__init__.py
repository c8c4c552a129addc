"""The figures of the report, each drawn from tables alone."""
