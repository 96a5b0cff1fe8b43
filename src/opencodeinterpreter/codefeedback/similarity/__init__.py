"""What is alike: duplicates, embeddings, neighbours."""
