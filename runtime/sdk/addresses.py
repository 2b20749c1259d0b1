"""Web addresses read in one way only, and which network addresses a step may speak to. Pure: no look-ups here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final, TypeAlias
from urllib.parse import quote, urlsplit

from runtime.sdk.errors import PermanentError

Ip: TypeAlias = IPv4Address | IPv6Address

_V4_REFUSED: Final = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4", "168.63.129.16/32",
    )
)  # fmt: skip
#: Refused even when an administrator allows a network around them: this machine, link-local, cloud metadata.
_V4_NEVER: Final = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "224.0.0.0/3",
        "100.100.100.200/32",
        "168.63.129.16/32",
        "192.0.0.192/32",
    )
)
_V6_GLOBAL: Final = IPv6Network("2000::/3")
_V6_REFUSED: Final = tuple(
    IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "2620:4f:8000::/48")
)
#: The same for the other family; fd00:ec2:: and fd20:ce:: are the clouds' own services, metadata among them.
_V6_NEVER: Final = tuple(
    IPv6Network(text) for text in ("::/127", "fe80::/10", "ff00::/8", "fd00:ec2::/32", "fd20:ce::/32")
)
#: Where an IPv4 address stands inside an IPv6 one: the network, and how far from the right its last bit is.
_EMBEDDED: Final = tuple(
    (IPv6Network(text), shift)
    for text, shift in (
        ("::/96", 0),  # compatible
        ("::ffff:0:0/96", 0),  # mapped
        ("::ffff:0:0:0/96", 0),  # translated
        ("64:ff9b::/96", 0),  # NAT64
        ("64:ff9b:1::/48", 0),  # NAT64 of a network's own, by its last bits
        ("2002::/16", 80),  # 6to4
        ("2001::/32", 64),  # Teredo, its server
    )
)
_TEREDO: Final = IPv6Network("2001::/32")
#: An interface identifier that says it is made of an IPv4 address (ISATAP).
_ISATAP: Final = (0x00005EFE, 0x02005EFE)


def _inside(address: IPv6Address) -> list[IPv4Address]:
    """Every IPv4 address that this one may be carried to."""
    number = int(address)
    found = [IPv4Address(number >> shift & 0xFFFFFFFF) for network, shift in _EMBEDDED if address in network]
    if address in _TEREDO:
        found.append(IPv4Address(~number & 0xFFFFFFFF))  # the client's, written upside down
    if number >> 32 & 0xFFFFFFFF in _ISATAP:
        found.append(IPv4Address(number & 0xFFFFFFFF))
    return found


def _never(address: Ip) -> bool:
    """Whether no administrator can open this address."""
    if isinstance(address, IPv4Address):
        return any(address in network for network in _V4_NEVER)
    return any(address in network for network in _V6_NEVER) or any(_never(inner) for inner in _inside(address))


def vet(address: Ip, allowed: Sequence[IPv4Network | IPv6Network] = ()) -> bool:
    """Whether a step may speak to this address. ``allowed``: private networks that an administrator opened."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if _never(address):
        return False
    if any(address in network for network in allowed if network.version == address.version):
        # An open IPv6 network does not open the IPv4 network that its addresses may lead to.
        return isinstance(address, IPv4Address) or all(vet(inner, allowed) for inner in _inside(address))
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _V4_REFUSED)
    # Only native unicast; 6to4, Teredo, NAT64 and compatible forms could carry a private address inside.
    return address in _V6_GLOBAL and not any(address in network for network in _V6_REFUSED)


@dataclass(frozen=True, slots=True)
class Address:
    """A web address, read in one way only."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.scheme, self.host, self.port

    @property
    def host_header(self) -> str:
        usual = {"http": 80, "https": 443}[self.scheme]
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == usual else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host_header}{self.target}"


def read_address(url: str) -> Address:
    """Read a web address strictly; whatever two readers could understand differently is refused."""
    url = url.strip(" ")
    if any(ord(character) <= 32 or ord(character) == 127 or character == "\\" for character in url):
        raise _bad(url, "it has spaces, backslashes or control characters in it")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise _bad(url, "it cannot be read") from None
    scheme = parts.scheme.lower()
    if scheme not in ("http", "https"):
        raise _bad(url, "it must begin with https:// or http://")
    if not url[len(scheme) :].startswith("://") or not parts.netloc:
        raise _bad(url, "it names no host")
    if "@" in parts.netloc:
        raise _bad(url, "it must not hold a user name or password; use a connection")
    host, port = _host_and_port(url, parts.netloc, 443 if scheme == "https" else 80)
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = "?" + quote(parts.query, safe="/%:@!$&'()*+,;=~-._?") if parts.query else ""
    return Address(scheme, host, port, path + query)


def _host_and_port(url: str, netloc: str, usual: int) -> tuple[str, int]:
    if netloc.startswith("["):
        literal, closed, rest = netloc[1:].partition("]")
        try:
            if not closed or "%" in literal:
                raise ValueError
            host = str(IPv6Address(literal))
        except ValueError:
            raise _bad(url, "its host is not an address") from None
        colon, _, port_text = rest.partition(":") if rest else ("", "", "")
        if colon or (rest and not rest.startswith(":")):
            raise _bad(url, "its host cannot be read")
        has_port = bool(rest)
    else:
        name, sign, port_text = netloc.partition(":")
        has_port = bool(sign)
        host = read_host(url, name)
    if not has_port:
        return host, usual
    if not (port_text.isascii() and port_text.isdecimal() and len(port_text) <= 5 and 1 <= int(port_text) <= 65535):
        raise _bad(url, "its port is not 1 to 65535")
    return host, int(port_text)


def read_host(url: str, name: str) -> str:
    host = name.lower()
    if not host.isascii():
        import idna

        try:
            host = idna.encode(host, uts46=True).decode()
        except idna.IDNAError:
            raise _bad(url, "its host is not a name") from None
    host = host.removesuffix(".")
    labels = host.split(".")
    if len(host) > 253 or not all(0 < len(label) <= 63 for label in labels):
        raise _bad(url, "its host is not a name")
    if not all(c.isascii() and (c.isalnum() or c in "-_") for label in labels for c in label):
        raise _bad(url, "its host is not a name")
    last = labels[-1]
    if last.isdecimal() or last.startswith("0x"):
        # Only the plain form; 127.1, 2130706433, 0x7f.1 and 0177.0.0.1 are read differently by others.
        try:
            return str(IPv4Address(host))
        except ValueError:
            raise _bad(url, "its host is not an address in plain form") from None
    return host


def _bad(url: str, why: str) -> PermanentError:
    return PermanentError("This address cannot be used", f"“{url[:200]}” cannot be used: {why}.", "address")
