"""The result of a search: ranking, importance, optimism, random control."""
