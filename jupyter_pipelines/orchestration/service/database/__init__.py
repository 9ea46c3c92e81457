"""The server's database: backed up before another version of Prefect changes it, and daily; checked; never lost.

Runs, versions and schedules are in files of their own; in the database is what Prefect knows of them. So a database
that is damaged is put aside, the newest good backup takes its place, and what Prefect has forgotten is settled. One
that a newer version has written is refused, before anything touches it.

::

    prefect.db                    the database
    database.json                 which versions wrote it last, whether they ended well, what happened to it
    backups/prefect-TIME.db       the last three of them, of which each was whole when it was made
    backups/damaged.db            the last one that was put aside
"""
