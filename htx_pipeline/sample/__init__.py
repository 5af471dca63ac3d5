"""The seeded synthetic province."""
