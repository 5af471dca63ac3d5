"""Administrative units of Viet Nam with their validity, predecessors and successors.

What belongs here: the facts (CSV files in ``data/``), how they are made from their sources
(``build``), what the sources disagree about and how each disagreement was decided (``audit``,
``data/decisions.csv``, ``data/reasons.csv``), and the typed, cached tables (``tables``).
What does not: reading a name somebody wrote, converting or aggregating a table
(``htx_pipeline.reference.places``).
"""
