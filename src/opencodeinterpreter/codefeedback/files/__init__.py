"""Row files: read record by record, and written in the forms that others read."""
