"""Attributes of users whose records have no key: the newest by event timestamp wins, not the last to come.

Without a key a user's records lie in several partitions, and no consumer can know their order. Within this worker their
timestamps restore it, for as many profiles as are remembered.
"""

from __future__ import annotations

from collections import OrderedDict

from mapping.profile import AttributeValue, ProfileUpdate

PROFILES_REMEMBERED = 50_000


class NewestByTimestamp:
    """When each attribute of the latest profiles was last set."""

    def __init__(self, profiles: int = PROFILES_REMEMBERED) -> None:
        self._profiles = profiles
        self._times: OrderedDict[str, dict[str, int]] = OrderedDict()

    def keep_newest(self, update: ProfileUpdate) -> ProfileUpdate:
        """The update without attributes that an event with a later timestamp has set. One without a timestamp
        is left as it is."""
        at = update.timestamp_ms
        if at is None or not update.attributes:
            return update
        times = self._times.setdefault(update.custom_id, {})
        self._times.move_to_end(update.custom_id)
        kept: dict[str, AttributeValue] = {}
        for name, value in update.attributes.items():
            if times.get(name, at) <= at:
                times[name] = at
                kept[name] = value
        if len(self._times) > self._profiles:
            self._times.popitem(last=False)
        return update._replace(attributes=kept)
