"""How the schema came about, one revision after another."""
