"""No request leaves for an address that is not the shop's on the open network, whatever the settings or a name say."""

import asyncio
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from consumer.adapters.shops.addresses import AddressRefusedError, CheckedTransport, NameUnknownError, why_refused
from consumer.adapters.shops.shop_list import HttpShopList
from consumer.adapters.shops.ways import ContractWay
from consumer.domain.settings import Platform
from consumer.ports.shop_lists import ShopListRefusedError, ShopListUnavailableError
from consumer.sources.listing import ListReader
from tests.adapters.shops.lists import SINCE, TOKEN, listed, opened, shop_with_list
from tests.adapters.zoho.raw_server import RawServer, answer

PUBLIC = ("1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101")
PRIVATE = (
    "127.0.0.1",
    "127.8.9.10",
    "10.0.0.5",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "198.18.0.1",
    "::1",
    "fc00::1",
    "fd12:3456::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a00:1",
)
NEVER = (
    "169.254.169.254",
    "169.254.0.1",
    "169.254.170.2",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "0.0.0.0",  # noqa: S104 an address to be refused
    "0.1.2.3",
    "::",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "224.0.0.1",
    "ff02::1",
    "240.0.0.1",
    "255.255.255.255",
    "shop.example",
    "",
)


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_open_network_is_connected_to(address: str) -> None:
    """Also one that an IPv6 address stands for."""
    assert why_refused(address, allow_private=False) == ""


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_of_this_network_needs_the_setting(address: str) -> None:
    """Also one in an IPv6 disguise."""
    assert why_refused(address, allow_private=False) != ""
    assert why_refused(address, allow_private=True) == ""


@pytest.mark.parametrize("address", NEVER)
def test_some_addresses_no_setting_allows(address: str) -> None:
    """A cloud's metadata service above all: no shop lies there, and secrets do."""
    assert why_refused(address, allow_private=False) != ""
    assert why_refused(address, allow_private=True) != ""


class Inner(httpx.AsyncBaseTransport):
    """Notes where requests go; ``unreachable`` addresses take no connection."""

    def __init__(self, *unreachable: str) -> None:
        self.unreachable = unreachable
        self.asked: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer with nothing."""
        self.asked.append(request)
        if request.url.host in self.unreachable:
            raise httpx.ConnectError("refused")
        return httpx.Response(200)


async def _asked(inner: Inner, *addresses: str, allow_private: bool = False) -> None:
    async def resolve(_host: str, _port: int) -> Sequence[str]:
        return addresses

    transport = CheckedTransport(inner, allow_private=allow_private, resolve=resolve)
    async with httpx.AsyncClient(transport=transport) as client:
        await client.get("https://shop.example:8443/orders?a=1", headers={"Authorization": "Bearer t"})


async def test_the_connection_goes_to_the_judged_address_under_the_shops_name() -> None:
    """The address is that of the look-up; Host header and the name for the certificate stay the shop's."""
    inner = Inner()
    await _asked(inner, "1.1.1.1")
    (request,) = inner.asked
    assert str(request.url) == "https://1.1.1.1:8443/orders?a=1"
    assert request.headers["host"] == "shop.example:8443"
    assert request.extensions["sni_hostname"] == "shop.example"


async def test_one_private_address_among_public_ones_refuses_the_name() -> None:
    """Nothing is sent: not even to the public one."""
    inner = Inner()
    with pytest.raises(AddressRefusedError, match=r"shop\.example is at 10\.0\.0\.1, and it is of a private network"):
        await _asked(inner, "1.1.1.1", "10.0.0.1")
    assert inner.asked == []


async def test_the_next_address_is_tried_where_one_cannot_be_reached() -> None:
    """IPv6 first, which this network may not have; in brackets, as a URL wants it."""
    inner = Inner("2606:4700:4700::1111")
    await _asked(inner, "2606:4700:4700::1111", "1.1.1.1")
    assert [request.url.host for request in inner.asked] == ["2606:4700:4700::1111", "1.1.1.1"]
    with pytest.raises(httpx.ConnectError):
        await _asked(Inner("1.1.1.1"), "1.1.1.1")


async def test_a_name_that_changes_its_address_is_judged_each_time() -> None:
    """DNS rebinding: public at the first page, this machine at the second; the second is not asked."""
    answers = iter([["1.1.1.1"], ["127.0.0.1"]])

    async def resolve(_host: str, _port: int) -> Sequence[str]:
        return next(answers)

    inner = Inner()
    async with httpx.AsyncClient(transport=CheckedTransport(inner, allow_private=False, resolve=resolve)) as client:
        await client.get("https://shop.example/orders")
        with pytest.raises(AddressRefusedError):
            await client.get("https://shop.example/orders?cursor=2")
    assert [request.url.host for request in inner.asked] == ["1.1.1.1"]


@pytest.mark.parametrize("error", [OSError("no such host"), UnicodeError("label too long"), TimeoutError()])
async def test_a_name_without_an_address_is_told(error: Exception) -> None:
    """As unknown, whatever the resolver raises."""

    async def resolve(_host: str, _port: int) -> Sequence[str]:
        raise error

    transport = CheckedTransport(Inner(), allow_private=False, resolve=resolve)
    async with httpx.AsyncClient(transport=transport) as client:
        with pytest.raises(NameUnknownError, match=r"shop\.example"):
            await client.get("https://shop.example/")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]"])
async def test_a_list_on_this_machine_is_not_asked_without_the_setting(host: str) -> None:
    """However it is written. The server is there and would answer; it is never connected to."""
    async with RawServer([answer(200, {"orders": []}, Content_Type="application/json")]) as server:
        port = server.url.rpartition(":")[2]
        shop = shop_with_list(f"http://{host}:{port}/orders", allow_private=False)
        async with opened(shop) as shop_list:
            with pytest.raises(ShopListRefusedError, match=r"is not asked: .*set `allow_private`"):
                await anext(aiter(shop_list.paid_since(SINCE)))
    assert (server.seen, server.connections) == ([], 0)


async def test_a_redirect_to_a_private_address_goes_nowhere() -> None:
    """The redirect is refused as such, and its target hears nothing."""
    async with RawServer([answer(200)]) as inside, RawServer([answer(307, Location=inside.url)]) as shop:
        with pytest.raises(ShopListRefusedError, match="redirect"):
            await listed(shop.url)
    assert inside.connections == 0


async def test_a_name_that_does_not_exist_is_an_outage() -> None:
    """It may exist again tomorrow: asked again later."""
    with pytest.raises(ShopListUnavailableError, match="has no address"):
        await listed("http://no-such-shop.invalid/orders")


def _certificate(folder: Path, name: str) -> Path:
    """Make a certificate of that name for an hour, which is its own authority, with its key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{name}.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return file


async def _tls_shop(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        await reader.readuntil(b"\r\n\r\n")
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: 16\r\n\r\n"
        writer.write(head + b'{"orders": [ ] }')
        await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        return
    finally:
        writer.close()


@pytest.mark.parametrize(
    ("certificate", "trusted", "refused"),
    [("shop.example", True, ""), ("other.example", True, "Hostname mismatch"), ("shop.example", False, "self-signed")],
)
async def test_the_certificate_is_held_against_the_name_and_not_the_address(
    tmp_path: Path, certificate: str, *, trusted: bool, refused: str
) -> None:
    """shop.example, found at 127.0.0.1, has to show a trusted certificate of shop.example."""
    file = _certificate(tmp_path, certificate)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(file)
    trust = ssl.create_default_context(cafile=str(file) if trusted else None)

    async def resolve(_host: str, _port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    server = await asyncio.start_server(_tls_shop, "127.0.0.1", 0, ssl=serving)
    async with server:
        url = f"https://shop.example:{server.sockets[0].getsockname()[1]}/orders"
        inner = httpx.AsyncHTTPTransport(verify=trust, trust_env=False)
        shop_list = _list(url, CheckedTransport(inner, allow_private=True, resolve=resolve))
        if refused:
            with pytest.raises(ShopListRefusedError, match=f"certificate that does not hold .*{refused}"):
                _ = [one async for one in shop_list.paid_since(SINCE)]
        else:
            assert [one async for one in shop_list.paid_since(SINCE)] == []
        await shop_list.aclose()


def _list(url: str, transport: httpx.AsyncBaseTransport) -> HttpShopList:
    read: Any = ListReader(shop_with_list(url), Platform.BOOKED, {}).read
    return HttpShopList("nl", way=ContractWay(url), token=TOKEN, transport=transport, read=read)


def test_the_table_has_no_address_twice() -> None:
    """Each row says something of its own."""
    rows = [*PUBLIC, *PRIVATE, *(one for one in NEVER if ":" in one or one[:1].isdecimal())]
    assert len({ip_address(one) for one in rows}) == len(rows)
