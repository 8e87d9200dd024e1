"""Stands for W&B's server: keeps the history and summary of each run that the real client sends it."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Server(ThreadingHTTPServer):
    """`runs`: id -> rows of history by place, summary, exit codes, id of the sweep. `uploads`: file -> bytes."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.runs: dict[str, dict[str, Any]] = {}
        self.uploads: dict[str, int] = {}

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is none."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def history(self, run: str) -> list[dict[str, Any]]:
        return [json.loads(line) for _, line in sorted(self.runs[run]["rows"].items())]

    def answer(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        """What the client needs to go on."""
        operation = re.search(r"(?:query|mutation)\s+(\w+)", query)
        project = {"id": "p", "name": "p", "entity": {"id": "e", "name": "e"}}
        run = self.runs.get(str(variables.get("name")))
        match operation and operation.group(1):
            case "RunResumeStatus":
                bucket = run and {
                    "id": "b",
                    "name": variables["name"],
                    "displayName": "n",
                    "config": "{}",
                    "tags": [],
                    "historyLineCount": len(run["rows"]),
                    "eventsLineCount": 0,
                    "logLineCount": 0,
                    "eventsTail": "[]",
                    "historyTail": json.dumps([run["rows"][place] for place in sorted(run["rows"])[-1:]]),
                    "summaryMetrics": json.dumps(run["summary"]),
                    "wandbConfig": json.dumps({"t": 1}),
                }
                return {"model": project | {"bucket": bucket}}
            case "UpsertBucket":
                self.runs.setdefault(
                    variables["name"], {"rows": {}, "summary": {}, "exits": [], "sweep": variables.get("sweep")}
                )
                return {
                    "upsertBucket": {
                        "inserted": run is None,
                        "bucket": {
                            "id": "b",
                            "name": variables["name"],
                            "displayName": "n",
                            "project": project,
                        },
                    }
                }
            case "Viewer":
                return {"viewer": {"id": "v", "entity": "e", "username": "u", "flags": "{}", "teams": {"edges": []}}}
            case "CreateRunFiles":
                files = [{"name": name, "uploadUrl": f"{self.url}/{name}"} for name in variables["files"]]
                return {"createRunFiles": {"runID": "b", "uploadHeaders": [], "files": files}}
            case "CreateArtifact":
                artifact = {"id": "a", "state": "COMMITTED", "artifactSequence": {"id": "s", "latestArtifact": None}}
                return {"createArtifact": {"artifact": artifact}}
        return {}

    def take(self, run: dict[str, Any], stream: dict[str, Any]) -> None:
        """Lines of files that grow, each at its place."""
        for name, part in (stream.get("files") or {}).items():
            if name == "wandb-history.jsonl":
                run["rows"] |= {part["offset"] + place: line for place, line in enumerate(part["content"])}
            if name == "wandb-summary.json":
                run["summary"] |= json.loads(part["content"][0])
        if stream.get("complete"):
            run["exits"].append(stream.get("exitcode"))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, format: str, *arguments: object) -> None:
        pass

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        said: dict[str, Any] = {}
        if self.command == "PUT":
            self.server.uploads[self.path.strip("/")] = len(body)
        if self.path == "/graphql":
            asked = json.loads(body)
            said = {"data": self.server.answer(asked["query"], asked.get("variables") or {})}
        elif "file_stream" in self.path:
            self.server.take(self.server.runs[self.path.split("/")[-2]], json.loads(body))
        content = json.dumps(said).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PUT = do_POST


@contextmanager
def serving() -> Iterator[Server]:
    with Server() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
