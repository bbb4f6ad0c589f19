"""Keys: their turn, their folder, their rotation among processes, and what the world sees of them."""
