"""What was shown, kept and shown again."""
