"""Measurements of the whole system: real use, speed."""
