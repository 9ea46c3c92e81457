"""The Jupyter Server extension: the public API over REST, for the panel and for anyone with the server's token."""
