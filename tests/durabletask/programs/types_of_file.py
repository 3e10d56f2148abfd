"""Orchestrators whose input, output and activities have types of the workflow file."""
from dataclasses import dataclass

import state


@dataclass
class Order:
    number: int


def price(ctx, order: Order) -> Order:
    return Order(order.number + 1)


def takes_order(ctx, order: Order):
    assert type(order) is Order
    state.seen.append(order.number)
    answer = yield ctx.call_activity(price, input=order)
    assert type(answer) is Order
    return [*state.seen, answer.number]
