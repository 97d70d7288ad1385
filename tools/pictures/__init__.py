"""Pictures of the portals of a running demonstration, to be looked at."""
