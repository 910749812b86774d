"""From an address to a whole body on disk: how politely a server is asked, when again, and when no more.

One request at a time to a host, with a delay between two; redirects are followed by hand and checked again at every hop.
The connection goes to the very address that was checked, with the host's name in the Host header and in the TLS handshake,
whose certificate is verified against that name. No proxy and no cookie is used.

Left out: which addresses may be asked (addresses); how a part is continued (parts); what to ask for, and what becomes of
the body (fetching).
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Lock

import httpx2

from eunato_rag.ingestion.addresses import AddressRefused, NotServed, Resolver, check, host_of, resolve_host
from eunato_rag.ingestion.parts import Part, extent_of, plain, strong_validator
from eunato_rag.retrying import Again, retry_after

Ask = Callable[[httpx2.URL], Mapping[str, str]]
"""The request headers for one hop, which depend on where the hop goes: a validator is for one URL only."""

MAX_REDIRECTS = 10
_REDIRECTS = {301, 302, 303, 307, 308}
_TRY_AGAIN = {429, 500, 502, 503, 504}


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
                trouble = Again("the server was silent for too long")
            except httpx2.TransportError as error:
                trouble = Again(str(error) or type(error).__name__)
            except Again as error:
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
                raise Again(f"{status} {response.reason_phrase}", retry_after(response.headers))
            start, total = extent_of(response, part, str(url))
            if (total or 0) > self._limits.max_bytes:
                raise NotServed(f"it has {total} bytes, more than the {self._limits.max_bytes} allowed")
            encoded = response.headers.get("content-encoding", "identity") != "identity"
            if not start:
                part.begin(str(url), None if encoded else strong_validator(response.headers))
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
                raise Again(f"the body ended after {done} of {total} bytes")
            named = response.headers.get
            return Served(str(url), plain(named("etag")), plain(named("last-modified")), named("content-type"))

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
