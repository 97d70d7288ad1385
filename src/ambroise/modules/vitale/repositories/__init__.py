"""The SQL of the e-carte Vitale."""
