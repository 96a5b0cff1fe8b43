"""The parts that models play: asked with a cache, cut at their code, their replies read."""
