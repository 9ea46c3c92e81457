"""One module per command: ``add_arguments(parser)`` and ``run(arguments) -> int``; the docstring is its help."""
