"""A mirror as a platform team runs one: files and a registry behind one HTTPS address, its authority made here."""

from __future__ import annotations

import datetime
import http.client
import http.server
import ipaddress
import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

BLOCK = 1 << 20


class Authority:
    """A certificate authority: :attr:`file` is what its users are given."""

    def __init__(self, folder: Path, name: str = "authority of a test") -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        usage = x509.KeyUsage(
            digital_signature=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        builder = (
            self._builder(self._name, self._key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
        )
        self.file = folder / "ca.crt"
        self.file.write_bytes(builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def server(
        self,
        address: str,
        ends: datetime.timedelta = datetime.timedelta(days=1),
        life: datetime.timedelta | None = None,
    ) -> ssl.SSLContext:
        """What a server at *address*, an IP address, presents: until *ends* from now on, and for *life* as a whole."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, address)])
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        now = datetime.datetime.now(datetime.UTC)
        builder = self._builder(subject, key, now + ends - (life or ends + datetime.timedelta(hours=1)), now + ends)
        certificate = builder.add_extension(names, critical=False).sign(self._key, hashes.SHA256())
        file = self._folder / f"server-{address}.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        file.touch(0o600)
        file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _builder(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        begin: datetime.datetime | None = None,
        end: datetime.datetime | None = None,
    ) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin or now - datetime.timedelta(hours=1))
            .not_valid_after(end or now + datetime.timedelta(days=1))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(issuer, critical=False)
        )


@dataclass(frozen=True)
class Fault:
    """How a file is served wrongly: ``cut``, ``reset``, ``short``, ``chunked-cut`` or an HTTP status, after *bytes*."""

    kind: str
    after: int = 0


@dataclass
class MirrorServer:
    """What is served, and what was asked for."""

    address: str
    port: int
    files: dict[str, bytes | Path]
    """Contents by path, without the leading slash."""

    registry: str = ""
    """``host:port`` that answers below ``/v2/``, in plain HTTP."""

    ranges: bool = True
    faults: dict[str, Fault] = field(default_factory=dict)
    """By path, or by its beginning up to a slash; each is met once, or for ever where it is a status."""

    swapped: dict[str, str] = field(default_factory=dict)
    """Paths of the registry, by those that are asked for."""

    asked: list[tuple[str, str, str]] = field(default_factory=list)
    """Client's address, path without the leading slash, and range of each request."""

    @property
    def url(self) -> str:
        """Where it is."""
        return f"https://{self.address}:{self.port}"

    def paths(self) -> list[str]:
        """What was asked for."""
        return [path for _, path, _ in self.asked]


@contextmanager
def serving(
    authority: Authority, files: dict[str, bytes | Path], address: str = "127.0.0.1", registry: str = ""
) -> Iterator[MirrorServer]:
    """A running mirror at *address*, on a free port."""

    class Handler(_Handler):
        pass

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that refuses the certificate is no error of the server."""

    with Server((address, 0), Handler) as server:
        # Each connection shakes hands in its own thread: one that says nothing must not hold up the others.
        server.socket = authority.server(address).wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        mirror = MirrorServer(address, server.server_address[1], files, registry)
        Handler.mirror = mirror
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield mirror
        finally:
            server.shutdown()
            thread.join()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    mirror: MirrorServer

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def log_message(self, *_: object) -> None:
        """Nothing: the requests are kept."""

    def _answer(self) -> None:
        path = self.path.partition("?")[0].removeprefix("/")
        self.mirror.asked.append((self.client_address[0], path, self.headers.get("Range", "")))
        key = path if path in self.mirror.faults else path.rpartition("/")[0] + "/"
        fault = self.mirror.faults.get(key)
        if fault and fault.kind.isdigit():
            self._send(int(fault.kind), b"no")
        elif path.startswith("v2/") and self.mirror.registry:
            self._pass_on(self.mirror.swapped.get(path, path), key)
        else:
            self._file(path)

    def _file(self, name: str) -> None:
        if name not in self.mirror.files:
            self._send(404, b"not here")
            return
        found = self.mirror.files[name]
        content = found.read_bytes() if isinstance(found, Path) else found
        status, headers = 200, {}
        asked = self.headers.get("Range", "")
        if asked and self.mirror.ranges:
            begin = int(asked.removeprefix("bytes=").removesuffix("-"))
            if begin >= len(content):
                self._send(416, b"", {"Content-Range": f"bytes */{len(content)}"})
                return
            status, headers = 206, {"Content-Range": f"bytes {begin}-{len(content) - 1}/{len(content)}"}
            content = content[begin:]
        if fault := self.mirror.faults.pop(name, None):
            self._break(fault, content)
        else:
            self._send(status, content, headers)

    def _break(self, fault: Fault, content: bytes) -> None:
        part = content[: fault.after]
        self.close_connection = True
        self.send_response(200)
        if fault.kind == "chunked-cut":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"%x\r\n" % len(content) + part)
            return
        self.send_header("Content-Length", str(len(part) if fault.kind == "short" else len(content)))
        self.end_headers()
        self.wfile.write(part)
        if fault.kind == "reset":
            # What the other side has not read by then, its kernel throws away.
            time.sleep(1)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _pass_on(self, path: str, key: str) -> None:
        connection = http.client.HTTPConnection(self.mirror.registry, timeout=60)
        try:
            # Docker names each kind of manifest in a header of its own.
            found = {name: ", ".join(self.headers.get_all(name, [])) for name in ("Accept", "Range")}
            headers = {name: value for name, value in found.items() if value}
            connection.request(self.command, f"/{path}", headers=headers)
            answer = connection.getresponse()
            fault = self.mirror.faults.get(key)
            if fault and int(answer.headers.get("Content-Length", "0")) > fault.after:
                del self.mirror.faults[key]
                self._break(fault, answer.read())
                return
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in {"connection", "date", "server"}:
                    self.send_header(name, value)
            self.end_headers()
            while self.command == "GET" and (block := answer.read(BLOCK)):
                self.wfile.write(block)
        finally:
            connection.close()

    def _send(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)
