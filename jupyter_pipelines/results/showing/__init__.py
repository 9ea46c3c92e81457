"""Runs as HTML and as text. Only what is shown is in it, and all that comes from a notebook is escaped."""
