"""The workload of the proof: answers with its name and what it was told, and calls others when it is asked to.

It listens on PORT, and takes orders on a socket in its own file system, which no network reaches.
"""

from __future__ import annotations

import http.client
import json
import os
import socketserver
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_SOCKET = "/run/orders"
_MOST = 20_000  # calls of one order


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        told = self.headers.get("x-forwarded-client-cert", "")
        place = {"pod": os.environ["HOSTNAME"], "cluster": os.environ["CLUSTER_NAME"], "certificate": told}
        data = json.dumps(place).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        return


class Orders(socketserver.StreamRequestHandler):
    """One order a connection: a call, or the begin of a stream and, with its end, the counts."""

    def handle(self) -> None:
        order = json.loads(self.rfile.readline())
        if order["do"] == "call":
            answer = call(order["address"], order["port"], order["host"])
        elif order["do"] == "stream":
            STREAMS[order["name"]] = stream = Stream(order["address"], order["port"], order["host"], order["pause"])
            stream.start()
            answer = {}
        else:
            answer = STREAMS.pop(order["name"]).finish()
        self.wfile.write(json.dumps(answer).encode() + b"\n")


class Stream(threading.Thread):
    """Calls, one after the other, until it is ended or the most are made."""

    def __init__(self, address: str, port: int, host: str, pause: float) -> None:
        super().__init__(daemon=True)
        self._to, self._pause, self._end = (address, port, host), pause, threading.Event()
        self._by: dict[str, int] = {}
        self._failed: list[dict[str, object]] = []
        self._count = 0

    def run(self) -> None:
        while self._count < _MOST and not self._end.wait(self._pause):
            answer = call(*self._to)
            self._count += 1
            if answer.get("status") == 200:
                cluster = str(answer["cluster"])
                self._by[cluster] = self._by.get(cluster, 0) + 1
            else:
                self._failed.append({**answer, "at": time.time()})

    def finish(self) -> dict[str, object]:
        self._end.set()
        self.join(15)
        return {"count": self._count, "by": self._by, "failed": self._failed}


STREAMS: dict[str, Stream] = {}


def call(address: str, port: int, host: str) -> dict[str, object]:
    """One request on a connection of its own."""
    connection = http.client.HTTPConnection(address, port, timeout=10)
    try:
        connection.request("GET", "/", headers={"Host": host})
        answer = connection.getresponse()
        text = answer.read().decode()
        if answer.status == 200:
            return {"status": 200, **json.loads(text)}
        return {"status": answer.status, "text": text[:300]}
    except (OSError, http.client.HTTPException, ValueError) as error:
        return {"status": 0, "text": repr(error)[:300]}
    finally:
        connection.close()


def main() -> None:
    orders = socketserver.ThreadingUnixStreamServer(_SOCKET, Orders)
    threading.Thread(target=orders.serve_forever, daemon=True).start()
    ThreadingHTTPServer(("0.0.0.0", int(os.environ.get("PORT", "8080"))), Answer).serve_forever()


if __name__ == "__main__":
    main()
