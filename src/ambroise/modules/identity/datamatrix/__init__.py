"""The INS datamatrix: what it says, how it is drawn, how it is read."""
