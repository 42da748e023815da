"""`@liquid`: the Liquid template language as LiquidJS speaks it, in which Segment renders it."""
