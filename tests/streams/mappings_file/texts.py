"""Mappings files for tests."""

GOOD = """\
mappings:
  - name: Profiles
    preset: update-profile
    mapping:
      profileAttributes:
        city: {"@path": $.traits.address.city}
  - name: Orders
    description: Orders as events of the buyer.
    trigger: type = "track" and event = "Order Completed"
    mapping:
      identifiers:
        custom_id: {"@path": $.properties.buyer}
      eventName: order
      eventAttributes:
        "@path": $.properties
  - name: Old
    enabled: false
    preset: update-profile
filters:
  - name: staff
    if: contains(traits.email, "@example.com")
    action: drop
  - name: tenth
    if: type = "track"
    action: sample
    share: 0.1
  - name: cards
    if: type = "track"
    action: block_fields
    fields: [properties.card, properties.products.price]
  - name: later
    enabled: false
    if: type = "track"
    action: drop
"""
