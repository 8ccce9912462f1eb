"""Plain requests as fast as they go, by wrk."""
import collections
import json
import shutil
import subprocess

from . import settings
from .process import own, peer
from .report import goal, ratio, table

script = """
-- Everybody is somebody else, as behind a proxy; and the figures as one line of JSON.
local requests, next = {}, 0
function init(args)
  for i = 1, 2048 do
    requests[i] = wrk.format("GET", nil, {["X-Forwarded-For"] = string.format("10.9.%d.%d", math.floor(i / 256), i % 256)})
  end
end
function request()
  next = next % #requests + 1
  return requests[next]
end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format('\\n{"requests": %d, "seconds": %f, "p50": %f, "p99": %f, "errors": %d, "refused": %d}\\n', summary.requests,
    summary.duration / 1e6, latency:percentile(50) / 1e6, latency:percentile(99) / 1e6, e.connect + e.read + e.write + e.timeout, e.status))
end
"""


def wrk(port, path, folder):
    file = folder / "people.lua"
    file.write_text(script)
    command = ["wrk", "-t1", "-c64", f"-d{settings.http_seconds}s", "-s", str(file), f"http://127.0.0.1:{port}{path}"]
    words = subprocess.run(command, check=True, capture_output=True, text=True, timeout=settings.http_seconds + 60).stdout
    figures = json.loads(words.strip().splitlines()[-1])
    return figures | {"per_second": figures["requests"] / figures["seconds"]}


def run(folder):
    if shutil.which("wrk") is None:
        return {}, [goal(False, "wrk is there (Debian: apt-get install wrk)")]
    ways = {"loam": (lambda: own(folder / "http.sqlite"), ("/healthz", "/v1/models"))}
    if settings.peer_command:
        ways["llama.cpp"] = lambda: peer(settings.peer_slots[-1], folder), ("/health", "/v1/models")
    figures = collections.defaultdict(dict)
    for name, (make, paths) in ways.items():
        with make() as server:
            for path in paths:
                figures["/healthz" if path == "/health" else path][name] = wrk(server.port, path, folder)
    rows = [["", *ways, *(["loam / llama.cpp"] if settings.peer_command else [])]]
    for path, by in figures.items():
        rows.append([f"{path}, requests/s", *(f"{by[name]['per_second']:.0f}" for name in ways)])
        rows.append([f"{path}, p50 / p99, ms", *(f"{1000 * by[name]['p50']:.1f} / {1000 * by[name]['p99']:.1f}" for name in ways)])
        rows.append([f"{path}, failed + not 200", *(f"{by[name]['errors']} + {by[name]['refused']}" for name in ways)])
        if settings.peer_command:
            rows[-3].append(ratio(by["loam"]["per_second"], by["llama.cpp"]["per_second"]))
            rows[-2].append("")
            rows[-1].append("")
    table(f"wrk, one thread, 64 connections, {settings.http_seconds} s", rows)
    bad = sum(by["loam"]["errors"] + by["loam"]["refused"] for by in figures.values())
    return figures, [goal(bad == 0, f"every answer is 200: {bad} were not")]
