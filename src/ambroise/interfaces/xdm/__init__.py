"""IHE XDM zips (ITI-32), in and out: documents that travel by hand or by mail, under the same checks as others."""
