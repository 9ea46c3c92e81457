"""What runs inside the user's kernel: standard library only, Python 3.9 and later.

The kernel's environment needs nothing of ours installed. The package is loaded from its file path, under a private
name, by a hidden cell (:mod:`.load`), and leaves no name in the user's namespace. Libraries such as numpy are used only
where the user has imported them already.

=================  =========================================================================
module             does
=================  =========================================================================
``load``           brings the package into the kernel
``session``        the phases of a step: begin, load, save
``saving``         the end of a step: guard, groups, container
``container``      the file that holds a step's outputs
``digests``        content hashes
``collecting``     pauses the garbage collector where values are written and read
``pickling``       turns values into bytes, refusing what would not come back the same
``refusals``       what is never carried, and what to do instead
``arrays``         how arrays, frames and tensors are pickled
``formulas``       how parsed formulas are pickled
``identity``       objects that are nothing but themselves
``set_order``      makes sets that iterate as they did
``reading``        turns bytes into values again
``rebuild``        what pickles call to make values again
``sharing``        which names share objects and must stay together
``comparison``     whether two values are the same, and where they differ (with ``comparison_libraries``)
``ambient``        hidden state: random generators, options, environment …
``imports``        what importing does to hidden state
``files``          which files the step touches
``watching``       what a step did that its cells do not tell, although later steps rely on it
``definitions``    whether functions and classes are still what their statements make them
``background``     work that is not over when the step ends
``displays``       what a step shows in the cells of others
``summary``        values in a few words, for people
=================  =========================================================================
"""
