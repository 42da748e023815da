"""`segbatch membership`: what a topic last said of a user's audiences, or of an audience's users."""
