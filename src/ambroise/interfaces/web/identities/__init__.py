"""Pages about who people are: the directory, the identity of a patient, its datamatrix, the work of the desk."""
