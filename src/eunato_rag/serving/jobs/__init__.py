"""Jobs: work on the index that outlives the request that asked for it, and the server that took it.

store       what is known of each job, in SQLite beside the snapshots
worker      the process that does one job
dispatch    starts workers, one at a time; cancels them; takes up what was left undone
"""
