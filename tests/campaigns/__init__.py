"""Damage done to studies at random, and what came of it."""
