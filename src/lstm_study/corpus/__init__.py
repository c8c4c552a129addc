"""Reviews in, one `Corpus` out: reading, tokenising, splitting, caching. NumPy only.

`load.load` is the way in; `batches.view` and `batches.batch` are a configuration's view of it;
`describe.describe` is what a person looks at. The test half stays closed (`test_half`).
"""
