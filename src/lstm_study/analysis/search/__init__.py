"""What a search came to: ranking, importance, optimism, random control."""
