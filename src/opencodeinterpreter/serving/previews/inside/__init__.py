"""What runs in the jail of a preview: reads one file and writes what is in it as JSON.

Nothing here is imported by the server. The files are copied into the jail, so they import each other and installed
packages alone.
"""
