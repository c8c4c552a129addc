"""Arms retrained with paired seeds, and evaluated once on the untouched test reviews."""
