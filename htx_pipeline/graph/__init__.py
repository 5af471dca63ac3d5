"""The value-chain graph."""
