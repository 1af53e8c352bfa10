"""The versions of the schema: each a SQL file and the Python file that runs it."""
