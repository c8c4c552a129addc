"""Pure statistics and summaries: records in, frozen values out. Never imports TensorFlow.

`search_summary` and `optimism` speak of the search; `arms` gathers what the comparison left, and
`metrics`, `variance`, `intervals`, `significance`, `power` and `verdict` judge it, in the words of
`wording`. `error_rates` and `simulation` show, on the made-up studies of `generative`, how often
the verdict errs, with assumed variance components or with those of a study (`measured`).
"""
