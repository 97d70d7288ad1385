"""Opening the spaces of a population: the file of an insurer, read line by line."""
