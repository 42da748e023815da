"""FQL, the language of triggers and filters (Segment, "Destination Filter Query Language").

trigger = compile_trigger('type = "track" and event = "Order Completed"')
trigger.matches({"type": "track", "event": "Order Completed"})    # True
"""

from mapping.fql.errors import FqlError
from mapping.fql.explaining import Decision, Found
from mapping.fql.hosted import HostedDifference
from mapping.fql.trigger import Trigger, compile_trigger

__all__ = ["Decision", "Found", "FqlError", "HostedDifference", "Trigger", "compile_trigger"]
