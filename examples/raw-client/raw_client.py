"""Submits a task to a Sluice broker and works it, with the standard library alone: see PROTOCOL.md and RFC 6455.

python3 raw_client.py [queue] [ws://127.0.0.1:7331]
"""

import base64
import hashlib
import json
import os
import socket
import sys
import time
from urllib.parse import urlsplit

QUEUE = sys.argv[1] if len(sys.argv) > 1 else "raw-client"
URL = sys.argv[2] if len(sys.argv) > 2 else os.environ.get("SLUICE_URL", "ws://127.0.0.1:7331")

TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA


class WebSocket:
    """The client's half of RFC 6455, as far as text frames need it."""

    def __init__(self, url, protocol):
        parts = urlsplit(url)
        self.socket = socket.create_connection((parts.hostname, parts.port or 80), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.stream = self.socket.makefile("rb")
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            f"GET {parts.path or '/'} HTTP/1.1",
            f"Host: {parts.netloc}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key}",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Protocol: {protocol}",
        ]
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        status = self.stream.readline().decode("latin-1")
        if " 101 " not in status:
            raise ConnectionError(f"no WebSocket: {status.strip()}")
        headers = {}
        while (line := self.stream.readline().strip()) != b"":
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        expected = base64.b64encode(hashlib.sha1((key + guid).encode()).digest()).decode()
        if headers.get("sec-websocket-accept") != expected:
            raise ConnectionError("the server did not prove that it speaks WebSocket")

    def send(self, opcode, payload):
        length = len(payload)
        if length < 126:
            head = bytes([0x80 | opcode, 0x80 | length])
        elif length < 65536:
            head = bytes([0x80 | opcode, 0x80 | 126]) + length.to_bytes(2, "big")
        else:
            head = bytes([0x80 | opcode, 0x80 | 127]) + length.to_bytes(8, "big")
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[i & 3] for i, byte in enumerate(payload))
        self.socket.sendall(head + mask + masked)

    def read(self, count):
        data = self.stream.read(count)
        if len(data) < count:
            raise ConnectionError("the connection was lost")
        return data

    def receive(self):
        """The next text message, or None and the close code when the server closes."""
        message = b""
        while True:
            first, second = self.read(2)
            length = second & 0x7F
            if length == 126:
                length = int.from_bytes(self.read(2), "big")
            elif length == 127:
                length = int.from_bytes(self.read(8), "big")
            payload = self.read(length)
            opcode = first & 0x0F
            if opcode == PING:
                self.send(PONG, payload)
            elif opcode == CLOSE:
                self.send(CLOSE, payload[:2])
                return None, int.from_bytes(payload[:2], "big") if payload else 1005
            elif opcode != PONG:
                message += payload
                if first & 0x80:
                    return message.decode(), None


def task_id():
    """A UUIDv7: 48 bits of time, version, random bits."""
    data = bytearray(int(time.time() * 1000).to_bytes(6, "big") + os.urandom(10))
    data[6] = data[6] & 0x0F | 0x70
    data[8] = data[8] & 0x3F | 0x80
    text = data.hex()
    return "-".join([text[:8], text[8:12], text[12:16], text[16:20], text[20:]])


def bodies_of(message):
    """Bodies are JSON inline, or anything else in base64."""
    return message["bodies"] if "bodies" in message else [base64.b64decode(body) for body in message["base64"]]


def main():
    connection = WebSocket(URL, "sluice.v1")

    def send(*messages):
        connection.send(TEXT, json.dumps(messages).encode())

    def refused(error):
        sys.exit(f"refused: {error['code']}: {error['message']}")

    task = task_id()
    # They come in either order; and the queue may have held other tasks, or have other workers.
    has_outcome = False
    unsettled = 0
    send({"type": "hello", "versions": [1], "roles": ["producer", "worker"], "name": "raw_client.py"})
    while True:
        text, code = connection.receive()
        if text is None:
            print(f"closed: {code}", flush=True)
            return 0 if code == 1000 else 1
        for message in json.loads(text):
            kind = message["type"]
            if kind == "welcome":
                print(f"connected: version {message['version']}, durability {message['durability']}", flush=True)
                send(
                    {"type": "credit", "credit": 1, "queues": [QUEUE]},
                    {"type": "submit", "ref": 1, "queue": QUEUE, "ids": [task], "bodies": [{"text": "hello"}]},
                )
            elif kind == "submitted":
                if message["refused"]:
                    refused(message["refused"][0]["error"])
                print(f"submitted: {task}", flush=True)
            elif kind == "deliver":
                for index, body in enumerate(bodies_of(message)):
                    attempt = message["attempts"][index] if "attempts" in message else 1
                    print(f"delivered: {message['ids'][index]}, attempt {attempt}", flush=True)
                    unsettled += 1
                    # The work. A longer one sends a heartbeat for its lease every heartbeatMs.
                    result = {"shouted": body["text"].upper()}
                    send({"type": "complete", "ref": 2, "leases": [message["leases"][index]], "bodies": [result]})
            elif kind == "settled":
                if message["refused"]:
                    print(f"not settled: {message['refused'][0]['error']['message']}", flush=True)
                else:
                    print("completed", flush=True)
                unsettled -= 1
            elif kind == "succeeded":
                for body in bodies_of(message):
                    print(f"outcome: succeeded {json.dumps(body, separators=(',', ':'))}", flush=True)
                has_outcome = True
            elif kind == "ended":
                for item in message["tasks"]:
                    print(f"outcome: {item['status']}", flush=True)
                has_outcome = True
            elif kind == "ping":
                send({"type": "pong", "ref": message["ref"]})
            elif kind == "error":
                refused(message)
        if has_outcome and unsettled == 0:
            send({"type": "bye"})
            has_outcome = False


if __name__ == "__main__":
    try:
        sys.exit(main())
    except OSError as error:
        sys.exit(f"no broker at {URL}: {error}")
