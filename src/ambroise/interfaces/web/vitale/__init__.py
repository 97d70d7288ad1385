"""The e-carte Vitale in the portals: for its holder, for the desk, and as an app that shows it without a network."""
