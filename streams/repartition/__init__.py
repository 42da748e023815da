"""`segbatch repartition`: the records of a topic without keys, copied to one that keeps each user's in order."""
