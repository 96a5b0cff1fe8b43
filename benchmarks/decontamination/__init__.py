"""What decontamination finds of planted copies and paraphrases, and how much it hits of files of rows."""
