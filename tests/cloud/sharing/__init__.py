"""What may be seen of a unit by whom: proved on generated agreements."""
