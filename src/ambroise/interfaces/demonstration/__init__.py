"""The demonstration nation: fictitious citizens, professionals and years of care, generated from a seed.

Nobody here exists: identities carry the test INS authority, professionals have RPPS numbers of the 997 test
range, structures have FINESS numbers of the inexistent department 99, telephone numbers are of the ranges set
aside for fiction, and every page of every document says that it is fictitious.
"""
