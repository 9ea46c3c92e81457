"""The process that has a warehouse's file open, so that many others can use it at once.

DuckDB lets one process write a file, and lets no other even read it meanwhile. So one process per warehouse, its
*owner*, has the file, and everybody else asks it: by Arrow Flight on this machine's loopback, with a token that only
the file's owner can read. It is started by whoever needs it first, elected by a lock beside the file, belongs to
nobody's process tree, and ends when nobody has asked for a while.
"""
