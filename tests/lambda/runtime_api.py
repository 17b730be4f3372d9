"""The Lambda Runtime API, as the Lambda Developer Guide describes it ("Using the Lambda runtime API for custom
runtimes"): it hands events to the function, one at a time, and collects its answers."""

import json
import queue
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

VERSION = "/2018-06-01/runtime"
ARN = "arn:aws:lambda:us-east-1:123456789012:function:daypass"


class RuntimeApi:
    """Serves one function. `address` is for `AWS_LAMBDA_RUNTIME_API`."""

    def __init__(self):
        self._events = queue.Queue()
        self._answers = queue.Queue()
        self.asked = threading.Event()  # the function has asked for its first event: it has started
        self.start_error = None  # what it posted as the reason why it does not start
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.address = f"127.0.0.1:{self._server.server_address[1]}"

    def stop(self):
        self._server.shutdown()
        self._server.server_close()

    def send(self, event, time_left=30.0):
        """Hands over an event. Answers its request ID."""
        request_id = str(uuid.uuid4())
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        self._events.put((request_id, str(int((time.time() + time_left) * 1000)), body))
        return request_id

    def receive(self, request_id, patience=40.0):
        """The answer: what the function posted as its response or as its error, and which of the two."""
        found_id, kind, body = self._answers.get(timeout=patience)
        assert found_id == request_id
        return kind, body

    def _handler(api):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                assert self.path == f"{VERSION}/invocation/next"
                api.asked.set()
                request_id, deadline, event = api._events.get()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Lambda-Runtime-Aws-Request-Id", request_id)
                self.send_header("Lambda-Runtime-Deadline-Ms", deadline)
                self.send_header("Lambda-Runtime-Invoked-Function-Arn", ARN)
                self.send_header("Lambda-Runtime-Trace-Id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0")
                self.send_header("Content-Length", str(len(event)))
                self.end_headers()
                self.wfile.write(event)

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                place = self.path.removeprefix(VERSION)
                if place == "/init/error":
                    api.start_error = (self.headers["Lambda-Runtime-Function-Error-Type"], json.loads(body))
                else:
                    _, invocation, request_id, kind = place.split("/")
                    assert invocation == "invocation" and kind in ("response", "error")
                    api._answers.put((request_id, kind, body))
                self.send_response(202)
                self.send_header("Content-Length", "16")
                self.end_headers()
                self.wfile.write(b'{"status": "OK"}')

            def log_message(self, *_):
                pass

        return Handler
