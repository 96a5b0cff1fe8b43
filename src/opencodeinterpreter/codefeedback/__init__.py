"""Builds a data set of dialogs of code, execution feedback and human feedback, by the paper's five methods."""
