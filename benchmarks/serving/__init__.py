"""How many people one server serves at a time: latency, memory, errors and leftovers, each level in one run."""
