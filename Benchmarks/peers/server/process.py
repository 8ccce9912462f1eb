"""The processes under load: `loam serve` and, where there is one, the peer."""
import asyncio
import os
import re
import shlex
import signal
import socket
import subprocess
import time
from pathlib import Path

from http_client import Connection

from . import settings
from .client import troubles


class Server:
    """A process of ours that answers HTTP; ended by its id."""

    def __init__(self, name, words, port, ready, headers, folder):
        self.name, self.port, self.headers = name, port, headers
        self.log = folder / f"server-{port}.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(words, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        try:
            self.wait(ready)
            self.model = self.get("/v1/models", 60)[1]["data"][0]["id"]
        except BaseException:
            self.stop(signal.SIGKILL)
            raise

    def wait(self, ready):
        until = time.monotonic() + 120
        while self.process.poll() is None and time.monotonic() < until:
            try:
                # An answer counts only while ours lives: the port may have gone to somebody else.
                if self.get(ready, 10)[0] == 200 and self.process.poll() is None:
                    return
            except troubles:
                pass
            time.sleep(0.1)
        raise SystemExit(f"{self.name} did not come up:\n" + self.last_words())

    def get(self, path, seconds):
        async def ask():
            connection = Connection(self.port)
            try:
                return await asyncio.wait_for(connection.json("GET", path), seconds)
            finally:
                connection.close()

        return asyncio.run(ask())

    def last_words(self):
        return self.log.read_text(errors="replace")[-2000:]

    def expect_alive(self):
        if self.process.poll() is not None:
            raise SystemExit(f"{self.name} ended by itself ({self.process.returncode}):\n" + self.last_words())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self, how=signal.SIGTERM):
        try:
            if self.process.poll() is None:
                self.process.send_signal(how)
                self.process.wait(20)
        except subprocess.TimeoutExpired:
            pass
        finally:
            # Also where we are told to end a second time while we wait.
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()

    def client(self, person=0):
        """Everybody has an address of their own, as behind a proxy: the bounds are for people, and are left as they are."""
        return Connection(self.port, {"X-Forwarded-For": address(person)} if self.headers else None)

    def seconds(self):
        """Processor time so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss(self):
        return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text())[1]) * 1024

    def descriptors(self):
        """How many are open: all, and sockets."""
        folder, links = f"/proc/{self.process.pid}/fd", []
        for name in os.listdir(folder):
            try:
                links.append(os.readlink(f"{folder}/{name}"))
            except FileNotFoundError:
                pass
        return {"all": len(links), "sockets": sum(link.startswith("socket:") for link in links)}


def address(person):
    return f"10.{person >> 16 & 255}.{person >> 8 & 255}.{person & 255}"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def own(store):
    """`loam serve` on that store, its log beside it."""
    port = free_port()
    words = [settings.loam, "serve", "--model", settings.model, "--port", str(port), "--store", str(store),
             "--threads", str(settings.threads), "--trusted-proxy", "127.0.0.1"]
    return Server("loam", words, port, "/readyz", headers=True, folder=store.parent)


def peer(slots, folder):
    """PEER_COMMAND with PORT, SLOTS, CONTEXT (of one slot), TOTAL (of all) and THREADS filled in."""
    port, context = free_port(), settings.config["max_position_embeddings"]
    places = {"PORT": port, "SLOTS": slots, "CONTEXT": context, "TOTAL": context * slots, "THREADS": settings.threads}
    words = [re.sub(r"\{(\w+)\}", lambda found: str(places[found[1]]), word) for word in shlex.split(settings.peer_command)]
    return Server("llama.cpp", words, port, "/health", headers=False, folder=folder)
