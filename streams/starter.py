"""What `segbatch init` writes: a commented configuration, mappings, and cases that pass."""

from __future__ import annotations

import json
from collections.abc import Mapping

from streams.mappings_file.schema import mappings_schema
from streams.settings.schema import settings_schema

_SCHEMAS = ".schemas"

_SETTINGS = """\
# yaml-language-server: $schema=.schemas/segbatch.schema.json
# The settings of segbatch; docs/settings.md lists them all. `segbatch config show` prints what is in force.

kafka:
  brokers: ${KAFKA_BROKERS:localhost:9092}
  topics: segment-events
  group: segbatch

batch:
  # From the environment, or from files: rest_api_key_file, project_key_file.
  rest_api_key: ${BATCH_REST_API_KEY:}
  project_key: ${BATCH_PROJECT_KEY:}

mappings: mappings.yaml

# Names of your choice, for those that are too long for Batch (30 characters) or that should read otherwise.
# names:
#   "Order Completed": order

# Consent categories that must be true in events that have a consent object.
# consent:
#   required_categories: [marketing]
"""

_MAPPINGS = """\
# yaml-language-server: $schema=.schemas/mappings.schema.json
# What becomes of Segment's events; docs/mappings.md explains it. Every mapping whose trigger accepts an event makes
# its part, and the parts are merged into one update of the profile.
#
#   segbatch test                  the cases in mappings.test.yaml
#   segbatch explain event.json    one event, step by step
#   kill -HUP PID                  a running worker reads this file again

mappings:
  - name: Update Profile
    description: Segment's preset, with one field of our own.
    preset: update-profile
    # Without a trigger it is for identify and track.
    mapping:
      profileAttributes:
        city: {"@path": $.traits.address.city}

  - name: Page views
    description: Pages with a name become events.
    trigger: type = "page" and name != null
    mapping:
      identifiers:
        custom_id: {"@path": $.userId}
      eventName: page_viewed
      eventAttributes:
        page: {"@path": $.name}
        url: {"@path": $.properties.url}

# Before the mappings: events that go no further, and fields that no mapping sees.
filters:
  - name: Staff
    if: contains(traits.email, "@staff.example")
    action: drop

  - name: Card numbers
    if: type = "track"
    action: block_fields
    fields: [properties.card_number]
"""

_CASES = """\
# Cases for `segbatch test`: an event, and what is expected to be posted, or why nothing is.

cases:
  - name: A trait of a trait becomes an attribute
    event:
      type: identify
      userId: user-1
      timestamp: "2026-03-02T09:14:07.512Z"
      traits: {email: lea@customer.example, plan: premium, address: {city: Lyon}}
    updates:
      - identifiers: {custom_id: user-1}
        attributes: {$email_address: lea@customer.example, plan: premium, city: Lyon}

  - name: A page view becomes an event
    event:
      type: page
      userId: user-1
      name: Pricing
      timestamp: "2026-03-02T09:14:07.512Z"
      properties: {url: "https://customer.example/pricing"}
    updates:
      - identifiers: {custom_id: user-1}
        events:
          - name: page_viewed
            time: "2026-03-02T09:14:07.512Z"
            attributes: {page: Pricing, url(url): "https://customer.example/pricing"}

  - name: Card numbers are not sent
    event: {type: track, event: Paid, userId: user-1, properties: {card_number: "4111", total: 9.5}}
    updates:
      - identifiers: {custom_id: user-1}
        events: [{name: paid, attributes: {total: 9.5}}]

  - name: Staff are left out
    event: {type: identify, userId: user-2, traits: {email: sam@staff.example}}
    skipped: filtered_by_filter
"""


def starter_files() -> Mapping[str, str]:
    """The files by path below the folder."""
    return {
        "segbatch.yaml": _SETTINGS,
        "mappings.yaml": _MAPPINGS,
        "mappings.test.yaml": _CASES,
        f"{_SCHEMAS}/segbatch.schema.json": json.dumps(settings_schema(), indent=2) + "\n",
        f"{_SCHEMAS}/mappings.schema.json": json.dumps(mappings_schema(), indent=2) + "\n",
    }
