"""A client of the chat over TLS, with Python's own library: compares the certificate's fingerprint, logs in, speaks, hears itself,
and stays until the server says goodbye: close 1001, then close_notify.

Arguments: port, fingerprint, version of TLS (1.2 or 1.3), how many more connections to open that say nothing.
"""

import hashlib
import json
import socket
import ssl
import struct
import sys

port, fingerprint, version, others = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
context.set_alpn_protocols(["h2", "http/1.1"])
context.minimum_version = context.maximum_version = ssl.TLSVersion[f"TLSv{version.replace('.', '_')}"]


def connect():
    tcp = socket.create_connection(("127.0.0.1", int(port)), 20)
    return context.wrap_socket(tcp, server_hostname="localhost", suppress_ragged_eofs=False)


tls = connect()
shown = hashlib.sha256(tls.getpeercert(binary_form=True)).digest().hex(":").upper()
assert shown == fingerprint, (shown, fingerprint)
assert tls.version() == f"TLSv{version}", tls.version()
assert tls.selected_alpn_protocol() == "http/1.1"

# Trusted, the certificate is good for the server's names, and for no other.
trusting = ssl.create_default_context(cadata=tls.getpeercert(binary_form=True))
for name in ["localhost", "127.0.0.1", "::1", "chat.example", "other.example"]:
    try:
        trusting.wrap_socket(socket.create_connection(("127.0.0.1", int(port)), 20), server_hostname=name).close()
        assert name != "other.example"
    except ssl.SSLCertVerificationError as error:
        assert name == "other.example", (name, error)



class WebSocket:
    def __init__(self, tls):
        self.tls = tls
        self.stream = tls.makefile("rb")
        tls.sendall(
            b"GET / HTTP/1.1\r\nHost: localhost\r\nOrigin: https://chat.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        assert self.stream.readline().startswith(b"HTTP/1.1 101 ")
        while self.stream.readline() != b"\r\n":
            pass

    def send(self, opcode, payload):
        """One masked frame, with key 0."""
        assert len(payload) < 126
        self.tls.sendall(bytes([0x80 | opcode, 0x80 | len(payload)]) + bytes(4) + payload)

    def receive(self):
        first, length = self.stream.read(2)
        if length == 126:
            length = struct.unpack(">H", self.stream.read(2))[0]
        return first & 15, self.stream.read(length)


chat = WebSocket(tls)
chat.send(1, b'{"type":"login","name":"over TLS"}')
users, login = (json.loads(chat.receive()[1]) for _ in range(2))
assert users["user_list"][-1]["name"] == "over TLS", users
chat.send(1, b'{"type":"say","to_uid":"all","content":"said in secret"}')
said = json.loads(chat.receive()[1])
assert (said["from_uid"], said["content"]) == (login["uid"], "said in secret"), said
# More than the server does in one go.
silent = [WebSocket(connect()) for _ in range(int(others))]
print("said", flush=True)
for each in [chat, *silent]:
    opcode, payload = each.receive()
    assert (opcode, payload[:2]) == (8, (1001).to_bytes(2, "big")), (opcode, payload)
for each in [chat, *silent]:
    each.send(8, payload[:2])
for each in [chat, *silent]:
    # Not SSLEOFError: close_notify has come.
    assert each.stream.read(1) == b""
print("goodbye")
