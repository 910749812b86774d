"""Which addresses may be asked: the guard between the manifest's URLs and the network.

Only http and https, only public addresses (RFC 6890), no user names in a URL. A host's name is looked up once, and the
caller is given the very addresses that were checked, to connect to: so a name that changes its mind between the check and
the connection (DNS rebinding) gains nothing.

Left out: asking, and checking again at every redirect (downloading).
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import httpx2

from eunato_rag.errors import EunatoRagError

Resolver = Callable[[str, int], Sequence[str]]
"""A host's name and a port in, its addresses out, best first; raises socket.gaierror."""

_GLOBAL_IPV6 = ip_network("2000::/3")
_NAT64 = ip_network("64:ff9b::/96")
# Special ranges of IANA's registries that `ipaddress` of Python 3.11 still calls global.
_SPECIAL = tuple(ip_network(text) for text in ("192.0.0.0/24", "192.88.99.0/24", "3fff::/20"))


class NotServed(EunatoRagError):
    """An address that does not give its body, and why. Fetching lists it as a reason; it does not leave that module."""


class AddressRefused(NotServed):
    """An address that must not be asked."""


def is_public(address: str) -> bool:
    """Whether an IP address is a public unicast one; an IPv4 address inside an IPv6 one (mapped, 6to4, NAT64) decides for it."""
    ip = ip_address(address)
    if isinstance(ip, IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 else None)
        if inner is not None:
            return is_public(str(inner))
        if ip not in _GLOBAL_IPV6:
            return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or any(ip in special for special in _SPECIAL))


def resolve_host(host: str, port: int) -> tuple[str, ...]:
    """The addresses of a host by the system's resolver, in the order in which it would have them tried."""
    return tuple(str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))


def check(url: httpx2.URL, *, allow_private: bool = False, resolve: Resolver = resolve_host) -> tuple[str, ...]:
    """The addresses at which a URL may be asked.

    Every address of the host has to be public: one that is not makes the whole host suspect.

    Raises:
        AddressRefused: another scheme, a user name, no host, a host that does not exist, an address that is not public.
        httpx2.ConnectError: the name cannot be looked up just now.
    """
    if url.scheme not in ("http", "https"):
        raise AddressRefused(f"{url} is not an http or https address")
    if url.userinfo:
        raise AddressRefused(f"the address at {url.host} carries a user name")
    host = host_of(url)
    if not host:
        raise AddressRefused(f"{url} names no host")
    try:
        addresses = tuple(dict.fromkeys(resolve(host, url.port or (443 if url.scheme == "https" else 80))))
    except socket.gaierror as error:
        if error.errno == socket.EAI_AGAIN:
            raise httpx2.ConnectError(f"the name {host} cannot be looked up now") from error
        raise AddressRefused(f"there is no host {host}") from error
    except UnicodeError as error:  # an empty label, or one of more than 63 letters
        raise AddressRefused(f"{host} is not the name of a host") from error
    if not addresses:
        raise AddressRefused(f"{host} has no address")
    hidden = next((address for address in addresses if not is_public(address)), None)
    if hidden is not None and not allow_private:
        raise AddressRefused(f"{host} is at {hidden}, which is not a public address")
    return addresses


def host_of(url: httpx2.URL) -> str:
    return url.raw_host.decode("ascii").rstrip(".").lower()
