"""The layout that the final outputs share."""

from rich.table import Table


def names_and_values() -> Table:
    """Returns an empty table of two columns: names in bold, and their values."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold")
    table.add_column()
    return table
