"""A shop to play with: its people, and a day of its events."""
