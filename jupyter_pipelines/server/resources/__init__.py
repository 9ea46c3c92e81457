"""What there is over REST: one module for each kind of thing, with its lines of the table of routes."""
