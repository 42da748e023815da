"""The demonstration: realistic Segment traffic, and independently what Batch must hold afterwards."""
