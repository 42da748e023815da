"""Everything that talks to Kafka, and the program: worker, settings, command line, web."""
