"""The control room's page, as it is shipped."""
