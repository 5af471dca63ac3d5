"""From a file to canonical rows: workbooks, text, numbers, dates, source mappings."""
