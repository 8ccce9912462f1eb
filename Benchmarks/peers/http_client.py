"""A small HTTP/1.1 client over asyncio's streams: kept connections, chunked bodies, server-sent events. Standard library only."""
import asyncio
import json


class Connection:
    """One connection at a time to one server; opened when needed, and again when the server has closed it."""

    def __init__(self, port, headers=None):
        self.port = port
        self.fixed = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        self.reader = self.writer = None
        self.is_used = False

    def close(self):
        if self.writer is not None:
            self.writer.close()
        self.reader = self.writer = None

    async def send(self, method, path, body=None):
        """Status and headers; the body is read by `whole` or `events`."""
        data = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{self.fixed}"
        if body is not None:
            head += f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n"
        for _ in range(2):
            is_fresh = self.writer is None
            if is_fresh:
                self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
            try:
                self.writer.write(head.encode() + b"\r\n" + data)
                await self.writer.drain()
                lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                break
            except (asyncio.IncompleteReadError, ConnectionError) as error:
                # Only a kept connection that was closed before one byte of an answer is tried again: nothing was done then.
                self.close()
                if is_fresh or getattr(error, "partial", b""):
                    raise
        self.status = int(lines[0].split()[1])
        self.headers = {}
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if colon:
                self.headers[name.lower()] = value.strip()
        return self.status

    async def parts(self):
        """The pieces of the body as they come."""
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            while True:
                size = int((await self.reader.readuntil(b"\r\n")).split(b";")[0], 16)
                part = await self.reader.readexactly(size + 2)
                if size == 0:
                    break
                yield part[:-2]
        else:
            left = int(self.headers.get("content-length", 0))
            if left:
                yield await self.reader.readexactly(left)
        if self.headers.get("connection", "").lower() == "close":
            self.close()

    async def whole(self):
        return b"".join([part async for part in self.parts()])

    async def events(self):
        """The data of server-sent events."""
        rest = b""
        async for part in self.parts():
            rest += part
            *whole, rest = rest.replace(b"\r\n", b"\n").split(b"\n\n")
            for event in whole:
                for line in event.split(b"\n"):
                    if line.startswith(b"data:"):
                        yield line[5:].strip()
        if rest.strip():
            raise ConnectionError("the stream ended in the middle of an event")

    async def json(self, method, path, body=None):
        status = await self.send(method, path, body)
        text = await self.whole()
        return status, json.loads(text) if text else None
