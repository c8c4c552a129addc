"""What a comparison came to: arms, verdict, and the words for it."""
