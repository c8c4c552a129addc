"""How often the verdict errs, on simulated studies."""
