"""A teacher on this machine for tests: an HTTP server in a thread that answers by a script."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = tuple[int, Any, dict[str, str]]  # status, body (an object, or bytes as they are), headers


def chat(content: str, reasoning: str | None = None, finish: str = "stop", tokens: tuple[int, int] = (10, 20)) -> Reply:
    """A chat completion as OpenAI-compatible servers give it."""
    message = {"role": "assistant", "content": content} | ({"reasoning_content": reasoning} if reasoning else {})
    usage = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1]}
    return 200, {"model": "scripted-1", "choices": [{"message": message, "finish_reason": finish}], "usage": usage}, {}


def vectors(*numbers: list[float]) -> Reply:
    """Embeddings as OpenAI-compatible servers give them."""
    return 200, {"data": [{"index": place, "embedding": own} for place, own in enumerate(numbers)]}, {}


class ScriptedTeacher:
    """`script(text, attempt)` gives the reply to the `attempt`-th request (from 0) that says `text`.

    `seen` counts what was asked, `answered` what was sent off whole with status 200.
    """

    def __init__(self, script: Callable[[str, int], Reply]) -> None:
        self.script, self.seen, self.answered = script, Counter(), Counter()  # type: ignore[var-annotated]
        self.bodies: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.times: list[tuple[str, float]] = []
        self.at_once = self.peak = 0  # requests that are being answered, and the most there ever were
        self._turn = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> ScriptedTeacher:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _reply(self, body: dict[str, Any], key: str | None) -> tuple[str, Reply]:
        text = body["messages"][0]["content"] if "messages" in body else "\n".join(body["input"])
        with self._turn:
            attempt = self.seen[text]
            self.seen[text] += 1
            self.bodies.append(body)
            self.keys.append(key)
            self.times.append((text, time.monotonic()))
            self.at_once += 1
            self.peak = max(self.peak, self.at_once)
        try:
            return text, self.script(text, attempt)
        finally:
            with self._turn:
                self.at_once -= 1

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        teacher = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                assert self.path in ("/v1/chat/completions", "/v1/embeddings")
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                text, (status, content, headers) = teacher._reply(body, self.headers.get("Authorization"))
                raw = content if isinstance(content, bytes) else json.dumps(content).encode()
                try:
                    self.send_response(status)
                    for name, value in (headers | {"Content-Length": str(len(raw))}).items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(raw)
                except OSError:  # the client has gone
                    return
                if status == 200:
                    with teacher._turn:
                        teacher.answered[text] += 1

            def log_message(self, *_: Any) -> None:
                """Silent."""

        return Handler
