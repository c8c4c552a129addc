"""Pure statistics and summaries: records in, frozen values out. Never imports TensorFlow.

`search` summarises the search: ranking, finalists, importance, optimism, random control. `answer`
gathers the comparison's arms and gives the verdict, in the words of `wording`, with the
`statistics` that it takes: variance components, intervals, failures, looks, power.
`lstm_study.simulation` shows how often the verdict errs.
"""
