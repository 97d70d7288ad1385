"""Reading the public extractions of the national directory into ours."""
