"""The result of a comparison: arms, verdict, and its wording."""
