"""`python -m tests.kafka [TOPIC ...]`: a broker to work with by hand, until Ctrl-C, with these topics of 6 partitions.
`--which` only says where it would come from: external, docker, jars or none."""

from __future__ import annotations

import signal
import sys
import threading

from tests.kafka.broker import KafkaUnavailable
from tests.kafka.find import real_kafka, where


def main(arguments: list[str]) -> int:
    if arguments == ["--which"]:
        print(where())
        return 0
    if any(each.startswith("-") for each in arguments):
        print(__doc__, file=sys.stderr)
        return 2
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    try:
        with real_kafka() as kafka:
            for topic in arguments:
                kafka.create_topic(topic)
            print(kafka.brokers, flush=True)
            stopped.wait()
    except KafkaUnavailable as error:
        print(f"no Kafka: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
