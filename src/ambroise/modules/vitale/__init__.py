"""The e-carte Vitale: the identity part of the card, on a telephone."""
