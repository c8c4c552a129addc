"""Runs the jobs of a stage on workers: processes of this machine, or actors of a Ray cluster."""
