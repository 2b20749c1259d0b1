"""The company's warehouse: products, and deliveries that are booked and cancelled.

What leaves is made anew overnight: the same order can be tried any number of times.
"""

from __future__ import annotations

import sqlite3

from builder.practice.asking import Call, Refused, instant, object_of, perhaps, pieces, words
from builder.practice.reversal import reason_of, refuse_used_reference, standing
from runtime.contracts import JSON


def new_delivery(database: sqlite3.Connection, call: Call) -> tuple[int, JSON]:
    """Book a delivery; more pieces than there are in stock are refused."""
    asked = object_of(call)
    order, sku, quantity = words(asked, "order"), words(asked, "sku"), pieces(asked, "quantity")
    product = database.execute("SELECT * FROM products WHERE sku = ?", (sku,)).fetchone()
    if product is None:
        raise Refused(404, "no_such_product", f"There is no product {sku[:60]}.")
    if quantity > product["in_stock"]:
        raise Refused(422, "not_enough_stock", f"{product['in_stock']} × {sku} are in stock, not {quantity}.")
    reference = perhaps(asked, "reference")
    refuse_used_reference(database, "deliveries", reference)
    id_ = f"DEL-{3001 + int(database.execute('SELECT count(*) FROM deliveries').fetchone()[0])}"
    database.execute(
        "INSERT INTO deliveries (id, order_number, sku, quantity, status, created_ms, reference)"
        " VALUES (?, ?, ?, ?, 'booked', ?, ?)",
        (id_, order, sku, quantity, call.now, reference),
    )
    return 201, {
        "id": id_, "order": order, "sku": sku, "name": product["name"], "quantity": quantity, "status": "booked",
        "created_at": instant(call.now),
    }  # fmt: skip


def cancel_delivery(database: sqlite3.Connection, call: Call, named: str) -> tuple[int, JSON]:
    """Cancel a delivery, once."""
    delivery = standing(database, "deliveries", named)
    reason = reason_of(call)
    database.execute(
        "UPDATE deliveries SET status = 'cancelled', cancelled_ms = ? WHERE id = ?", (call.now, delivery["id"])
    )
    return 200, {
        "id": delivery["id"], "order": delivery["order_number"], "sku": delivery["sku"],
        "quantity": delivery["quantity"], "status": "cancelled", "reason": reason, "cancelled_at": instant(call.now),
    }  # fmt: skip
