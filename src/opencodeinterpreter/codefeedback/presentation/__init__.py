"""What people look at: counts, plots, the card, a page of dialogs."""
