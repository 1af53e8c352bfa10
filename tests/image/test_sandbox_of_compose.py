"""What compose.yaml runs beside the program: the shop that sells, and the authorisation by the stand-in's own code."""

import json

import pytest

from consumer.config import Settings
from deploy.compose import authorise, selling
from sandbox.kafka import create_topics, delete_topics
from sandbox.shop.orders import SHOP_ID
from sandbox.zoho.client import CLIENT_ID, CLIENT_SECRET
from tests.kafka_tools import read_all

PAID = Settings.model_fields["topic_order_paid"].default


async def test_the_shop_sells_each_time_another_order(kafka_servers: str) -> None:
    """Its orders lie in the program's own topic, every one with a key of its own."""
    await create_topics(kafka_servers, {PAID: 1})
    try:
        assert await selling.sell(kafka_servers, seed=7, every_seconds=0, orders=3) == 3
        records = await read_all(kafka_servers, PAID, 3)
    finally:
        await delete_topics(kafka_servers, [PAID])
    orders = [json.loads(record.value or b"{}")["data"] for record in records]
    assert {order["shop_id"] for order in orders} == {SHOP_ID}
    assert len({order["order_id"] for order in orders}) == 3


def test_the_stand_in_makes_a_code_for_the_client(zoho_url: str) -> None:
    """Each call makes a new one, for a client that need not have been there before; and only a stand-in is asked."""
    codes = {authorise.code_of(zoho_url, CLIENT_ID, CLIENT_SECRET) for _ in range(2)}
    assert len(codes) == 2
    with pytest.raises(SystemExit, match="no address of a stand-in"):
        authorise.code_of("https://accounts.zoho.eu", CLIENT_ID, CLIENT_SECRET)
