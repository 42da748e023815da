"""`segbatch dead-letters purge`: a user's letters out of the topic."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from streams.cluster import SILENT
from streams.commands.dead_letters.options import Topic
from streams.commands.dead_letters.purging import (
    TRANSACTION_TIMEOUT_S,
    delete_before,
    move_others,
)
from streams.commands.dead_letters.topics import Place, Topics, open_topics, place_of
from streams.commands.dead_letters.transactions import RecordRefused, Transactions
from streams.commands.dead_letters.users import IsUsers, letters_of
from streams.commands.findings import counted
from streams.commands.options import EXIT_FAILED, EXIT_USAGE, ConfigFile, fail, load_or_exit
from streams.letter import read_letter
from streams.settings import client_settings


def purge(
    user: Annotated[str, typer.Option(metavar="ID", help="The user's id, as in userId.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    topic: Topic = None,
    config: ConfigFile = None,
) -> None:
    """Remove every letter of a user.

    Kafka deletes from a partition's beginning only: the letters of others are written anew at its end, and everything
    before is deleted. If this is killed in between, no letter is lost; run it again.
    """
    settings = load_or_exit(config, ("kafka.brokers", "kafka.topics")).settings
    if not user:
        fail("dead-letters purge: --user must not be empty")
    admin = AdminClient(dict(client_settings(settings.kafka)), logger=SILENT)
    is_users = letters_of(user)
    with open_topics(settings, topic) as topics:
        # First of all: it ends a replay, or a purge, that is on its way.
        transactions = Transactions(settings, TRANSACTION_TIMEOUT_S)
        topics.look()
        _finish_earlier(admin, topics)
        found, others = _count(topics, is_users)
        if not found:
            typer.echo("no letters of this user")
            return
        _ask(sum(found.values()), sum(others.get(place, 0) for place in found), len(found), yes)
        _check_right(admin, topics, found)
        for place in found:
            try:
                move_others(transactions, topics, place, is_users)
            except RecordRefused as refusal:
                fail(f"dead-letters purge: a letter cannot be written anew: {refusal}", EXIT_FAILED)
            _delete(admin, place, topics.spans[place].high)
    typer.echo(f"{counted(sum(found.values()), 'letter')} removed from {counted(len(found), 'partition')}")


def _finish_earlier(admin: AdminClient, topics: Topics) -> None:
    """Delete what a purge that was killed had moved already."""
    for place, done in topics.done.items():
        if topics.spans[place].low < done.moved_before:
            _delete(admin, place, done.moved_before)


def _count(topics: Topics, is_users: IsUsers) -> tuple[dict[Place, int], dict[Place, int]]:
    """By partition: letters of the user, and everything else there. Says how many cannot be told."""
    found: dict[Place, int] = {}
    others: dict[Place, int] = {}
    unknown = 0
    for message in topics.others_than_marks():
        place = place_of(message)
        counts = found if is_users(message) else others
        counts[place] = counts.get(place, 0) + 1
        letter = read_letter(message)
        unknown += letter is not None and letter.value_left_out and message.key() is None
    if unknown:
        noun = counted(unknown, "letter")
        print(f"whose {noun} without key and value is cannot be told: it stays", file=sys.stderr)
    return found, others


def _ask(letters: int, others: int, partitions: int, yes: bool) -> None:
    typer.echo(
        f"{counted(letters, 'letter')} of this user in {counted(partitions, 'partition')}; "
        f"{others} of others there will be written anew"
    )
    if yes:
        return
    if not sys.stdin.isatty():
        fail("dead-letters purge: it asks first, and there is no terminal: --yes goes without")
    if not typer.confirm("Remove them for good?"):
        raise typer.Exit(EXIT_USAGE)


def _check_right(admin: AdminClient, topics: Topics, places: dict[Place, int]) -> None:
    """Before anything is moved: may we delete? To delete up to the first record changes nothing."""
    for place in places:
        _delete(admin, place, topics.spans[place].low)


def _delete(admin: AdminClient, place: Place, offset: int) -> None:
    try:
        delete_before(admin, place, offset)
    except KafkaException as error:
        remedy = ""
        if error.args[0].code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
            remedy = ": give this user DELETE on the topic, and run it again"
        elif error.args[0].code() == KafkaError.POLICY_VIOLATION:
            remedy = ": its cleanup.policy has to contain delete"
        reason = error.args[0].str()
        fail(f"dead-letters purge: records of {place[0]} cannot be deleted: {reason}{remedy}", EXIT_FAILED)
