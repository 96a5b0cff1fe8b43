"""The query filter and the five methods that make dialogs."""
