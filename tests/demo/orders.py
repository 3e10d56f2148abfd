"""An order: reserve, wait, charge, wait, ship. What a helper module does on the way is shop.py's business."""
import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

from temporalio import activity, workflow

import shop


@dataclass
class Order:
    number: int
    items: int
    extras: list[str] = field(default_factory=list)


@activity.defn
async def reserve(items: int) -> str:
    return f"{items} items reserved"


@activity.defn
async def charge(amount: float) -> str:
    return f"{amount:.2f} EUR charged"


@activity.defn
async def ship(number: int) -> str:
    return f"parcel P-{number} shipped"


@workflow.defn
class OrderWorkflow:
    @workflow.run
    async def run(self, order: Order) -> str:
        limit = timedelta(seconds=10)
        done = [await workflow.execute_activity(reserve, order.items, start_to_close_timeout=limit)]
        await asyncio.sleep(0.2)
        amount = shop.price(order.items)
        for extra in order.extras:
            amount = shop.EXTRAS[extra](amount)
        done.append(await workflow.execute_activity(charge, amount, start_to_close_timeout=limit))
        await workflow.sleep(timedelta(seconds=0.2))
        done.append(await workflow.execute_activity(ship, order.number, start_to_close_timeout=limit))
        return ", ".join(done)
