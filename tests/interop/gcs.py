"""Puts the XML interface of Google Cloud Storage, which `object_store` speaks, in front of fake-gcs-server's JSON one.

fake-gcs-server takes no plain `PUT`, knows no parts, ignores `start-after` of lists and most preconditions. So uploads, copies,
parts and lists become calls of its JSON interface, and preconditions are kept here, one write at a time. Reading and removing
objects is handed on as it is.
"""

import http.client
import itertools
import json
import threading
import xml.etree.ElementTree as ElementTree
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit
from xml.sax.saxutils import escape

PRECONDITION = "x-goog-if-generation-match"
COPY = "x-goog-copy-source"
HANDED_ON = ("range", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since")
OF_THE_CONNECTION = ("connection", "transfer-encoding", "content-length", "date", "server")


def serve(port, behind):
    """Starts the interface on one port, in front of a server on another; returns what ends it."""
    server = ThreadingHTTPServer(("127.0.0.1", port), Front)
    server.daemon_threads, server.behind, server.parts = True, behind, {}
    server.numbers, server.writing = itertools.count(1), threading.Lock()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.shutdown


class Front(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_any(self):
        split = urlsplit(self.path)
        self.query = {name: values[0] for name, values in parse_qs(split.query, keep_blank_values=True).items()}
        self.bucket, _, self.key = unquote(split.path).lstrip("/").partition("/")
        self.body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if "uploads" in self.query:
            self.begin_parts()
        elif "uploadId" in self.query:
            self.of_parts(self.query["uploadId"])
        elif self.command == "PUT" and COPY in self.headers:
            self.answer_upload(self.write(self.copied))
        elif self.command == "PUT":
            self.answer_upload(self.write(lambda: self.uploaded(self.body)))
        elif self.command == "GET" and "list-type" in self.query:
            self.list()
        else:
            headers = {name: self.headers[name] for name in HANDED_ON if name in self.headers}
            self.answer(*self.ask(self.command, self.path, headers=headers))

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_any

    def ask(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.behind, timeout=60)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read()
        finally:
            connection.close()

    def write(self, writing):
        """Writes an object, unless another generation of it is there than was expected; 0 stands for none."""
        with self.server.writing:
            expected = self.headers.get(PRECONDITION)
            if expected is not None and expected != self.generation():
                return 412, {}, b"<Error><Code>PreconditionFailed</Code></Error>"
            return writing()

    def generation(self):
        status, _, body = self.ask("GET", f"/storage/v1/b/{self.bucket}/o/{quote(self.key, safe='')}")
        return json.loads(body)["generation"] if status == 200 else "0"

    def uploaded(self, body):
        path = f"/upload/storage/v1/b/{self.bucket}/o?uploadType=media&name={quote(self.key, safe='')}"
        return self.ask("POST", path, body, {"content-type": "application/octet-stream"})

    def copied(self):
        source, _, key = unquote(self.headers[COPY]).lstrip("/").partition("/")
        to = f"/storage/v1/b/{source}/o/{quote(key, safe='')}/copyTo/b/{self.bucket}/o/{quote(self.key, safe='')}"
        return self.ask("POST", to, b"{}", {"content-type": "application/json"})

    def list(self):
        asked = {name: self.query[name] for name in ("prefix", "delimiter") if name in self.query}
        status, _, body = self.ask("GET", f"/storage/v1/b/{self.bucket}/o?{urlencode(asked)}")
        if status != 200:
            return self.answer(status, {}, body)
        told, after = json.loads(body), self.query.get("start-after", "")
        items = sorted(told.get("items", []), key=lambda item: item["name"])
        contents = "".join(
            f"<Contents><Key>{escape(item['name'])}</Key><LastModified>{item['updated']}</LastModified>"
            f"<ETag>\"{item['generation']}\"</ETag><Size>{item['size']}</Size></Contents>"
            for item in items if item["name"] > after
        )
        prefixes = "".join(f"<CommonPrefixes><Prefix>{escape(one)}</Prefix></CommonPrefixes>" for one in told.get("prefixes", []))
        self.answer(200, {}, f"<ListBucketResult>{contents}{prefixes}</ListBucketResult>".encode())

    def answer_upload(self, answer):
        status, _, body = answer
        told = json.loads(body) if status == 200 else {}
        headers = {"etag": f'"{told.get("generation")}"', "x-goog-generation": told.get("generation")} if told else {}
        self.answer(status, headers, b"" if told else body)

    def begin_parts(self):
        upload = str(next(self.server.numbers))
        self.server.parts[upload] = {}
        told = f"<InitiateMultipartUploadResult><Bucket>{self.bucket}</Bucket><Key>x</Key><UploadId>{upload}</UploadId>"
        self.answer(200, {}, f"{told}</InitiateMultipartUploadResult>".encode())

    def of_parts(self, upload):
        parts = self.server.parts.get(upload)
        if parts is None:
            self.answer(404, {}, b"")
        elif self.command == "PUT":
            number = self.query["partNumber"]
            parts[number] = self.body
            self.answer(200, {"etag": f'"{number}"'}, b"")
        elif self.command == "DELETE":
            del self.server.parts[upload]
            self.answer(204, {}, b"")
        else:
            numbers = [part.text for part in ElementTree.fromstring(self.body).iter() if part.tag.endswith("PartNumber")]
            answer = self.write(lambda: self.uploaded(b"".join(parts[number] for number in numbers)))
            del self.server.parts[upload]
            status, _, body = answer
            told = json.loads(body) if status == 200 else {}
            done = f'<CompleteMultipartUploadResult><ETag>"{told.get("generation")}"</ETag></CompleteMultipartUploadResult>'
            self.answer(status, {"x-goog-generation": told.get("generation")} if told else {}, done.encode() if told else body)

    def answer(self, status, headers, body):
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in OF_THE_CONNECTION:
                self.send_header(name, value)
        length = headers.get("Content-Length", len(body)) if self.command == "HEAD" else len(body)
        self.send_header("content-length", str(length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_):
        pass
