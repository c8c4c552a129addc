"""Where reviews come from: one module for each source."""
