"""Where a stage stands, and what is shown of it."""
