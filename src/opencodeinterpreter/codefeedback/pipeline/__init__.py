"""What runs a stage from files to files: resumable, many rows at a time, with a manifest."""
