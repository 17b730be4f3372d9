"""A server that stands for one of the internet's, and closes connections that nobody uses, as servers do."""

import socket
import threading
import time


class Stub:
    """`idle` is for how long it keeps a connection that nobody uses. If it is `silent`, the news of the end gets lost, as
    they do where a frozen machine is not there to hear them: who uses the connection then loses a request.
    `hang` makes it take requests and say nothing."""

    def __init__(self, idle=None, silent=False):
        self.idle = idle
        self.silent = silent
        self.hang = False
        self.connections = 0
        self.lost = 0
        self._held = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def answer(self, path, headers, body):
        """Status, content type and body of the answer."""
        raise NotImplementedError

    def _accept(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection):
        if not self.silent:
            connection.settimeout(self.idle)
        with connection, connection.makefile("rb") as reader:
            try:
                used = time.monotonic()
                while request := reader.readline():
                    if self.idle and time.monotonic() - used > self.idle:
                        self.lost += 1
                        return
                    used = time.monotonic()
                    self._answer(connection, request, reader)
            except TimeoutError:
                return

    def _answer(self, connection, request, reader):
        headers = read_headers(reader)
        body = reader.read(int(headers.get("content-length", 0)))
        if self.hang:
            self._held.append(connection.dup())
            threading.Event().wait()
        status, kind, answer = self.answer(request.split()[1].decode(), headers, body)
        head = f"HTTP/1.1 {status} \r\nContent-Type: {kind}\r\nContent-Length: {len(answer)}\r\n\r\n"
        connection.sendall(head.encode() + answer)


def read_headers(reader):
    headers = {}
    while line := reader.readline().decode().strip():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return headers
