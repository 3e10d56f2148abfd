"""Helpers of the order workflow. The extras look harmless; each would give another answer on replay."""
import os
import random
import uuid
from datetime import datetime


def price(items: int) -> float:
    return items * 19.9


def with_reference(amount: float) -> float:
    print("reference", uuid.uuid4())
    return amount


def with_weekend_discount(amount: float) -> float:
    return amount * 0.9 if datetime.now().weekday() > 4 else amount


def with_regional_tax(amount: float) -> float:
    return amount * float(os.environ["SHOP_TAX_RATE"])


def with_lucky_draw(amount: float) -> float:
    return 0.0 if random.random() < 0.01 else amount


EXTRAS = {
    "reference": with_reference,
    "weekend discount": with_weekend_discount,
    "regional tax": with_regional_tax,
    "lucky draw": with_lucky_draw,
}
