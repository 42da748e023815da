"""`segbatch verify`: is what Batch has what the events say?"""
