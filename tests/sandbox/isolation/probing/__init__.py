"""Probes: short programs that try to get out of the jail, and the world of decoys that shows whether they did."""
