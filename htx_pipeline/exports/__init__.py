"""The tables for other programs: one module per format, each file read back before it is published."""
