"""How fast the program is beside the parts that it stands on, each figure a ratio measured in one run."""
