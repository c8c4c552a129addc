"""Users' files, read as one table of rows: the one reader for every command.

`table.open_table` is the way in. A path may name a file, a folder, a pattern or an archive; what is
in it may be CSV, TSV, JSON lines, a JSON array, Parquet, Arrow, or a folder of texts; each may be
compressed; text may be in any encoding. Rows are read as a stream.
"""
