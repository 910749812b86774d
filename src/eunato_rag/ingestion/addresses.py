"""From an address to a whole body on disk: which addresses may be asked, how politely, and when again.

Only http and https, only public addresses (RFC 6890), no user names in a URL, redirects followed by hand and checked
again at every hop. A host's name is looked up once a hop; the connection goes to the very address that was checked,
with the name in the Host header and in the TLS handshake, whose certificate is verified against that name. So a name
that changes its mind between the check and the connection (DNS rebinding) gains nothing. No proxy and no cookie is used.

Left out: what to ask for, and what becomes of the body (fetching).
"""

from __future__ import annotations

import json
import os
import random
import re
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path
from threading import Lock

import httpx2

from eunato_rag.errors import EunatoRagError

Resolver = Callable[[str, int], Sequence[str]]
"""A host's name and a port in, its addresses out, best first; raises socket.gaierror."""
Ask = Callable[[httpx2.URL], Mapping[str, str]]
"""The request headers for one hop, which depend on where the hop goes: a validator is for one URL only."""

MAX_REDIRECTS = 10
_REDIRECTS = {301, 302, 303, 307, 308}
_TRY_AGAIN = {429, 500, 502, 503, 504}
_GLOBAL_IPV6 = ip_network("2000::/3")
_NAT64 = ip_network("64:ff9b::/96")
# Special ranges of IANA's registries that `ipaddress` of Python 3.11 still calls global.
_SPECIAL = tuple(ip_network(text) for text in ("192.0.0.0/24", "192.88.99.0/24", "3fff::/20"))


@dataclass(frozen=True, slots=True)
class Limits:
    """What fetching may take. Sizes in bytes, times in seconds.

    `seconds` is for all addresses and attempts of one work, looked at before each request and after each piece of a body;
    `timeout` is the silence to bear. Between two attempts lie `backoff`, twice that, and so on, shortened at random by up to
    the share `jitter`, or what the server asks for; neither is over `longest_wait`. `delay` lies between two requests to one
    host; `hosts` are asked at a time.
    """

    max_bytes: int = 64 * 2**20
    seconds: float = 300.0
    timeout: float = 30.0
    attempts: int = 4
    backoff: float = 1.0
    jitter: float = 0.5
    longest_wait: float = 120.0
    delay: float = 1.0
    hosts: int = 4


@dataclass(frozen=True, slots=True)
class Served:
    """What a server says of a body: the URL that served it, its validators (RFC 9110, 8.8) and the type that it claims."""

    url: str
    etag: str | None
    last_modified: str | None
    content_type: str | None


class NotServed(EunatoRagError):
    """An address that does not give its body, and why. Fetching lists it as a reason; it does not leave that module."""


class AddressRefused(NotServed):
    """An address that must not be asked."""


class _Again(Exception):
    """This attempt failed, another may not. `wait` is what the server asks for, in seconds."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Part:
    """A body that is not whole yet, and a note beside it of where the rest is to be had; without a note it starts anew."""

    path: Path

    @property
    def note(self) -> Path:
        return self.path.with_name(self.path.name + ".json")

    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def validator(self, url: str) -> str | None:
        """The validator under which that URL may be asked for the rest, or None where there is nothing to go on from."""
        try:
            noted = json.loads(self.note.read_text("utf-8"))
            validator = noted["validator"] if noted["url"] == url else None
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None
        return validator if isinstance(validator, str) and self.size() else None

    def begin(self, url: str, validator: str | None) -> None:
        """Empty the part; the note comes after that and before the first byte, so that it never vouches for other bytes."""
        self.path.write_bytes(b"")
        self.note.unlink(missing_ok=True)
        if validator:
            self.note.write_text(json.dumps({"url": url, "validator": validator}), "utf-8")

    def settle(self) -> None:
        """Drop it unless it can be continued."""
        if not self.note.exists():
            self.discard()

    def discard(self) -> None:
        self.note.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)


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


def http_date(value: str | None) -> float | None:
    """Seconds since 1970 of an HTTP-date (RFC 9110, 5.6.7), or None where it is none."""
    try:
        return parsedate_to_datetime(value or "").timestamp()
    except ValueError:
        return None


def retry_after(headers: httpx2.Headers) -> float | None:
    """The seconds that a server asks to wait (RFC 9110, 10.2.3), or None; a date is read by the server's own clock."""
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", value):
        return float(value)
    then, now = http_date(value), http_date(headers.get("date"))
    if then is None:
        return None
    return max(0.0, then - (datetime.now(UTC).timestamp() if now is None else now))


def _plain(value: str | None) -> str | None:
    """A validator that can be sent back: field values are ASCII, and some servers forget it."""
    return value if value and value.isascii() else None


def _strong_validator(headers: httpx2.Headers) -> str | None:
    """What may stand in If-Range (RFC 9110, 13.1.5): a strong entity tag, or a date well before the answer's own."""
    etag = _plain(headers.get("etag"))
    if etag is not None:
        return etag if etag.startswith('"') else None
    modified, now = http_date(headers.get("last-modified")), http_date(headers.get("date"))
    return headers["last-modified"] if modified is not None and now is not None and now - modified >= 60 else None


def _extent(response: httpx2.Response, part: Part, url: str) -> tuple[int, int | None]:
    """Where the body of an answer begins, and the length of the whole where it is known; NotServed where it is no body at all.

    The rest is joined to a part only under the validator that the part began with (RFC 9110, 15.3.7.3): there are servers
    that heed Range and not If-Range.
    """
    headers, status = response.headers, response.status_code
    if status in (206, 416):
        extent = re.fullmatch(r"bytes ([0-9]+)-[0-9]+/([0-9]+)", headers.get("content-range", ""))
        validator = part.validator(url)
        tag = validator is not None and validator.startswith('"')
        same = validator is not None and validator == (headers.get("etag") if tag else headers.get("last-modified", validator))
        if status == 206 and same and extent and int(extent[1]) == part.size() and "content-encoding" not in headers:
            return int(extent[1]), int(extent[2])
        part.discard()
        raise _Again("its partial answer does not continue what is here", wait=0.0)
    if status not in (200, 203):
        raise NotServed(f"{status} {response.reason_phrase}".strip())
    length = headers.get("content-length", "")
    return 0, int(length) if re.fullmatch(r"[0-9]{1,18}", length) and "content-encoding" not in headers else None


def make_client() -> httpx2.Client:
    """A client that trusts the system's certificates, heeds no proxy and keeps no connection.

    A kept connection would be found by its IP address and lent to another host at the same one, past the certificate check.
    """
    transport = httpx2.HTTPTransport(limits=httpx2.Limits(max_keepalive_connections=0))
    return httpx2.Client(transport=transport, trust_env=False)


@dataclass(slots=True)
class _Host:
    lock: Lock = field(default_factory=Lock)
    free_at: float = 0.0


class Door:
    """Asks one host one thing at a time, `limits.delay` seconds apart, and different hosts at once. May be shared by threads.

    `pause` sleeps; whatever it raises passes through, and so it is with `heard` below.
    """

    def __init__(
        self,
        client: httpx2.Client,
        limits: Limits,
        *,
        pause: Callable[[float], None],
        clock: Callable[[], float],
        resolve: Resolver = resolve_host,
        allow_private: bool = False,
    ) -> None:
        self._client, self._limits, self._pause, self._clock = client, limits, pause, clock
        self._resolve, self._allow_private = resolve, allow_private
        self._hosts: dict[str, _Host] = {}
        self._lock = Lock()

    def download(
        self,
        address: str,
        part: Part,
        *,
        headers: Mapping[str, str],
        until: float,
        known: Served | None = None,
        heard: Callable[[int, int | None], None] = lambda done, total: None,
    ) -> Served | None:
        """Bring the whole body into `part`, going on from what it holds; None where `known` is what would be served still.

        Connection errors, time-outs, bodies cut short and the statuses 429, 500, 502, 503 and 504 are tried again, up to
        `limits.attempts` times and until `until` on the clock. `heard` gets the bytes that are here and those announced.

        Raises:
            NotServed: what was wrong the last time, or what no further attempt would mend. The part stays if it can be continued.
        """
        attempt = 0
        while True:
            attempt += 1
            try:
                return self._attempt(address, part, headers, until, known, heard)
            except (httpx2.InvalidURL, httpx2.DecodingError) as error:
                raise NotServed(str(error)) from error
            except httpx2.TimeoutException:
                trouble = _Again("the server was silent for too long")
            except httpx2.TransportError as error:
                trouble = _Again(str(error) or type(error).__name__)
            except _Again as error:
                trouble = error
            if attempt == self._limits.attempts:
                raise NotServed(f"{trouble} ({attempt} attempts)")
            wait = self._limits.backoff * 2 ** (attempt - 1) * (1 - self._limits.jitter * random.random())
            wait = min(wait if trouble.wait is None else trouble.wait, self._limits.longest_wait)
            if self._clock() + wait >= until:
                raise NotServed(f"{trouble}, and the {self._limits.seconds:g} s for this work are over")
            self._pause(wait)

    def _attempt(
        self,
        address: str,
        part: Part,
        headers: Mapping[str, str],
        until: float,
        known: Served | None,
        heard: Callable[[int, int | None], None],
    ) -> Served | None:
        def ask(url: httpx2.URL) -> dict[str, str]:
            asked = {**headers, "Accept-Encoding": "identity"}
            if known and known.url == str(url):
                asked |= {"If-None-Match": known.etag} if known.etag else {}
                asked |= {"If-Modified-Since": known.last_modified} if known.last_modified else {}
            validator = part.validator(str(url))
            return {**asked, "Range": f"bytes={part.size()}-", "If-Range": validator} if validator else asked

        with self.get(address, ask, until) as (url, response):
            status = response.status_code
            if status == 304 and known and known.url == str(url):
                return None
            if status in _TRY_AGAIN:
                raise _Again(f"{status} {response.reason_phrase}", retry_after(response.headers))
            start, total = _extent(response, part, str(url))
            if (total or 0) > self._limits.max_bytes:
                raise NotServed(f"it has {total} bytes, more than the {self._limits.max_bytes} allowed")
            encoded = response.headers.get("content-encoding", "identity") != "identity"
            if not start:
                part.begin(str(url), None if encoded else _strong_validator(response.headers))
            done = start
            with part.path.open("ab") as file:
                for piece in response.iter_bytes() if encoded else response.iter_raw():
                    done += len(piece)
                    if done > self._limits.max_bytes:
                        part.note.unlink(missing_ok=True)
                        raise NotServed(f"it has more than the {self._limits.max_bytes} bytes allowed")
                    file.write(piece)
                    heard(done, total)
                    self._left(until)
                file.flush()
                os.fsync(file.fileno())
            if total is not None and done != total:
                raise _Again(f"the body ended after {done} of {total} bytes")
            named = response.headers.get
            return Served(str(url), _plain(named("etag")), _plain(named("last-modified")), named("content-type"))

    def _left(self, until: float) -> float:
        left = until - self._clock()
        if left <= 0:
            raise NotServed(f"it took longer than {self._limits.seconds:g} s")
        return left

    @contextmanager
    def get(self, address: str, ask: Ask, until: float) -> Iterator[tuple[httpx2.URL, httpx2.Response]]:
        """The URL that answers in the end, and its answer with the body unread; both are over when the block is left.

        Raises:
            AddressRefused: what `check` refuses, at any hop; redirects in a circle, or more than ten; https to http.
            NotServed: the time is over.
            httpx2.InvalidURL, httpx2.TransportError: the address is malformed; the server could not be asked.
        """
        here = httpx2.URL(address).copy_with(fragment=None)
        seen: set[httpx2.URL] = set()
        while True:
            seen.add(here)
            with self._turn(host_of(here)):
                response = self._send(here, ask(here), min(self._limits.timeout, self._left(until)))
                try:
                    if response.status_code not in _REDIRECTS or "location" not in response.headers:
                        yield here, response
                        return
                    onward = here.join(response.headers["location"]).copy_with(fragment=None)
                finally:
                    response.close()
            if here.scheme == "https" and onward.scheme == "http" and not self._allow_private:
                raise AddressRefused(f"it redirects from https to http, to {onward}")
            if onward in seen:
                raise AddressRefused(f"it redirects in a circle, at {onward}")
            if len(seen) > MAX_REDIRECTS:
                raise AddressRefused(f"it redirects more than {MAX_REDIRECTS} times")
            here = onward

    @contextmanager
    def _turn(self, name: str) -> Iterator[None]:
        with self._lock:
            host = self._hosts.setdefault(name, _Host())
        with host.lock:
            wait = host.free_at - self._clock()
            if wait > 0:
                self._pause(wait)
            try:
                yield
            finally:
                host.free_at = self._clock() + self._limits.delay

    def _send(self, url: httpx2.URL, headers: Mapping[str, str], timeout: float) -> httpx2.Response:
        *others, last = check(url, allow_private=self._allow_private, resolve=self._resolve)
        for address in others:
            with suppress(httpx2.ConnectError, httpx2.ConnectTimeout):
                return self._send_to(address, url, headers, timeout)
        return self._send_to(last, url, headers, timeout)

    def _send_to(self, address: str, url: httpx2.URL, headers: Mapping[str, str], timeout: float) -> httpx2.Response:
        # A request made by hand, so that the client adds no cookie: its jar would know the host by its IP address only.
        request = httpx2.Request(
            "GET",
            url.copy_with(host=address),
            headers={"Host": url.netloc.decode("ascii"), "Connection": "close", **headers},
            extensions={"sni_hostname": host_of(url), "timeout": httpx2.Timeout(timeout).as_dict()},
        )
        return self._client.send(request, stream=True, follow_redirects=False)
