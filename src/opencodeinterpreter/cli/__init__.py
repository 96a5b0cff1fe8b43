"""The terminal: parsing and printing only, one file a command group."""
