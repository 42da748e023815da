"""Everything that talks to Batch: coalescer, limiter, client, delivery, and the local stand-in for Batch."""
