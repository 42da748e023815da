"""What a Segment event means: pure functions from a record's bytes to a profile update."""
