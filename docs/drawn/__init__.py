"""What the pictures of `docs/metrics` show: one module a page, one function a picture.

What belongs here: small inputs, the measures called on them, and where their results stand. What does
not: shapes (`docs.drawing`), files (`docs.pictures`).
"""
