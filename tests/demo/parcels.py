"""Orchestrators of durabletask. What they keep in the module is each instance's own."""
from datetime import date

carried = []


def carry(ctx, number):
    return f"parcel {number} of {date.today().year}"  # an activity may ask


def deliver(ctx, count):
    for number in range(1, count + 1):
        carried.append((yield ctx.call_activity(carry, input=number)))
    return f"{len(carried)} carried, the last one is {carried[-1]}"


def deliver_today(ctx, count):
    yield ctx.call_activity(carry, input=1)
    return f"{count} on {date.today():%A}"
