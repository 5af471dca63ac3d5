"""From a province's spreadsheets to linkages, clusters and progress against the plan."""
