"""The study in formats of other tools."""
