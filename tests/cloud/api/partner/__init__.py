"""What partners' systems are answered."""
