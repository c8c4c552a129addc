"""Where a stage stands, and how long the rest will take."""
