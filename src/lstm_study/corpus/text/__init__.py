"""Texts into words, and words into token ids."""
