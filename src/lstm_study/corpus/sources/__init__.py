"""One module for each source of reviews; `spec/sources.py` has a row for each, see `source.py`."""
