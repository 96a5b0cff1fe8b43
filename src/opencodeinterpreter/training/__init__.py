"""Fine-tuning of base code models on dialogs, and the way back into the interpreter."""
