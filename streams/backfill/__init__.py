"""`segbatch backfill`: history, folded to one update a profile, sent beside the live stream."""
