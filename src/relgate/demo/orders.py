"""The order book behind the tools: every order number has its order, always the same one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from relgate.domain.response import ToolCall

_PRODUCTS = (
    "Otter coffee machine",
    "Lark table lamp",
    "Heron blender",
    "Wren kettle",
    "Finch toaster",
    "Plover vacuum cleaner",
    "Dipper water filter",
)
_STATES = (
    "is being packed and leaves our warehouse tomorrow",
    "is in transit and arrives in two working days",
    "is on its last mile and arrives today",
    "was delivered and left at the front door",
    "is waiting at the parcel shop in Mill Lane",
)


@dataclass(frozen=True, slots=True)
class Order:
    """One order: what was bought and where the parcel is."""

    number: str
    product: str
    state: str


def find_order(number: str) -> Order:
    """The order of this number; derived from the number alone, so that it is the same in every process."""
    seed = hashlib.sha256(number.upper().encode()).digest()
    return Order(number.upper(), _PRODUCTS[seed[0] % len(_PRODUCTS)], _STATES[seed[1] % len(_STATES)])


def execute(call: ToolCall) -> str:
    """Carry a call out and word its result.

    The desk words the result itself: an amount or a date must not be paraphrased by a model.
    """
    number = _order_number(call.arguments)
    order = find_order(number)
    amount = next((v for v in call.arguments.values() if isinstance(v, int | float)), None)
    if amount is None:
        return f"Your order {order.number} ({order.product}) {order.state}."
    case = hashlib.sha256(f"{number} {amount}".encode()).hexdigest()[:6].upper()
    return (
        f"I opened refund case RC-{case} over ${amount:,.2f} for your order {order.number} ({order.product})."
    )


def _order_number(arguments: Mapping[str, Any]) -> str:
    return next((v for v in arguments.values() if isinstance(v, str) and v[:3].upper() == "FW-"), "unknown")
