"""Schedules that follow a notebook's file, or a git ref: what is saved or committed is published when it is good.

What is not good, because `check` or `verify` finds something, is not published: the last good version goes on running,
and the schedule says why.
"""
