"""Clusters of cooperatives and enterprises: detection and description."""
