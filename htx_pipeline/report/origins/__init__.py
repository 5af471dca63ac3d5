"""From a figure of a report to the rows it is made of, told apart by what each does in it."""
