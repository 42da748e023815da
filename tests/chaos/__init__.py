"""Proof under kill, cut, storm and poison: real workers on a real Kafka, disturbed on purpose, and judged by what Batch
got. `make chaos`, `make chaos-short` and `make soak` run it; docs/reliability.md tells what it shows."""
