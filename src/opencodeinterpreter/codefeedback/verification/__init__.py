"""Whether a dialog is what it seems: its texts, and its code run again."""
