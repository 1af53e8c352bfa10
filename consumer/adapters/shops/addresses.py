"""Which addresses a shop's list may lie at, and a transport that connects to no other.

The address comes from settings, so whoever writes those could point us at what only this network can reach: a cloud's
metadata service, a database's console. And a name may tell one address when it is looked at and another when it is
connected to (DNS rebinding). So the name is resolved here, every address of it is judged, and the connection is made
to a judged address itself; the name goes on only into the Host header and into the check of the certificate.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

import httpx

ADDRESSES_TRIED_MAX: Final = 4
RESOLVE_SECONDS: Final = 5.0

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Gives the addresses of a host name. Raises OSError or UnicodeError where there are none."""

_NAT64: Final = IPv6Network("64:ff9b::/96")
# Where clouds answer their machines' questions about themselves, secrets among them; some are ordinary addresses.
_METADATA: Final = frozenset(
    ip_address(text)
    for text in (
        "169.254.169.254",
        "169.254.170.2",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "fd00:ec2::254",
        "fd20:ce::254",
    )
)


class AddressRefusedError(Exception):
    """The host has an address that we do not connect to; the message names both, and why."""


class NameUnknownError(Exception):
    """The host's name has no address, or nobody told it in time."""


def why_refused(text: str, *, allow_private: bool) -> str:
    """Say why this address is not connected to; empty where it may be.

    With ``allow_private``, private networks and this machine are allowed; metadata services, link-local, multicast
    and reserved addresses never are.
    """
    try:
        address = _inner(ip_address(text))
    except ValueError:
        return "it is no address"
    if address in _METADATA:
        return "it belongs to a cloud's metadata service"
    if never := _never(address):
        return never
    if address.is_global or allow_private:
        return ""
    return "it belongs to this machine" if address.is_loopback else "it is of a private network"


def _inner(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Give the IPv4 address that an IPv6 one stands for, where it does: a connection goes to that one."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return IPv4Address(int(address) & 0xFFFF_FFFF) if address in _NAT64 else address


def _never(address: IPv4Address | IPv6Address) -> str:
    if address.is_link_local:
        return "it is link-local"
    if address.is_multicast:
        return "it is of a group of machines"
    if isinstance(address, IPv4Address):
        unusable = address.is_reserved or int(address) >> 24 == 0
        return "it is reserved" if unusable else ""
    if address.sixtofour is not None or address.teredo is not None:
        return "it leads through a tunnel"
    # Python counts ::1 among the reserved ones, too.
    unusable = address.is_site_local or (address.is_reserved and not address.is_loopback)
    return "it is reserved" if unusable or address.is_unspecified else ""


async def resolve(host: str, port: int) -> Sequence[str]:
    """Ask the system for the addresses of a name, in its order, each once."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class CheckedTransport(httpx.AsyncBaseTransport):
    """Sends requests through ``inner``, to judged addresses only.

    Raises AddressRefusedError where any address of the host is refused: of two answers to one name, one of which is
    private, the public one is no reason to trust the name. Raises NameUnknownError where there is none.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport, *, allow_private: bool, resolve: Resolve = resolve) -> None:
        self._inner = inner
        self._allow_private = allow_private
        self._resolve = resolve

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request to the first address that takes the connection."""
        *others, last = (await self._judged(request.url))[:ADDRESSES_TRIED_MAX]
        for address in others:
            try:
                return await self._inner.handle_async_request(_directed(request, address))
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue  # nothing was sent: the next address may be reachable from here
        return await self._inner.handle_async_request(_directed(request, last))

    async def aclose(self) -> None:
        """Close all connections."""
        await self._inner.aclose()

    async def _judged(self, url: httpx.URL) -> list[str]:
        port = url.port or {"https": 443, "http": 80}[url.scheme]
        try:
            async with asyncio.timeout(RESOLVE_SECONDS):
                addresses = list(await self._resolve(url.host, port))
        except (OSError, UnicodeError):  # TimeoutError is an OSError
            addresses = []
        if not addresses:
            raise NameUnknownError(f"the name {url.host} has no address")
        for address in addresses:
            if why := why_refused(address, allow_private=self._allow_private):
                raise AddressRefusedError(f"{url.host} is at {address}, and {why}")
        return addresses


def _directed(request: httpx.Request, address: str) -> httpx.Request:
    """Give the request to that address; its Host header and the name in the certificate stay those of the name."""
    host = f"[{address}]" if ":" in address else address
    return httpx.Request(
        request.method,
        request.url.copy_with(host=host),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": request.url.host},
    )
