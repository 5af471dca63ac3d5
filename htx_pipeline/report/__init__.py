"""Reports: figures, pages, workbooks."""
