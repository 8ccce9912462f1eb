"""Load on `loam serve` over loopback, beside llama.cpp's server on the same model: see Benchmarks/server, which calls it.

python server_load.py chats|feedback|http|soak|all. Settings come from the environment, the peer as well (PEER_COMMAND, PEER_LABEL).
Prints a table for each part, adds the figures to the JSON file OUT, and ends with 1 where something failed that may not fail. Standard
library only; the parts are in server/.
"""
import os
import platform
import resource
import signal
import sys
import tempfile
import time
from pathlib import Path

from server import chats, feedback, settings, soak, wrk
from server.report import kept, record

parts = {"chats": chats.run, "feedback": feedback.run, "http": wrk.run, "soak": soak.run}
chosen = sys.argv[1] if len(sys.argv) > 1 else "all"
if chosen not in (*parts, "all"):
    raise SystemExit(f"server_load.py: {chosen} is none of {', '.join(parts)}, all")
# A file that cannot be read is found before the work.
kept(settings.out)
# Told to end, it ends what it started.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
about = Path("/proc/cpuinfo").read_text().splitlines()
processor = next((line.split(":")[1].strip() for line in about if line.startswith("model name")), platform.machine())
failed = []
with tempfile.TemporaryDirectory(prefix="loam-server-", dir=os.environ.get("SCRATCH")) as folder:
    for part in parts if chosen == "all" else [chosen]:
        load, at = os.getloadavg()[0], time.strftime("%Y-%m-%dT%H:%M:%S%z")
        result, goals = parts[part](Path(folder))
        record(settings.out, part, {
            "at": at, "processor": processor, "cores": os.cpu_count(), "load_before": load, "peer": settings.peer_label,
            "figures": result, "goals": goals,
        })
        failed += [g["goal"] for g in goals if not g["met"]]
        if load > 0.5:
            print(f"(The machine was busy before, load {load:.1f}: threads that wait for each other lose by that, llama.cpp's above all.)")
print(f"\n{len(failed)} goals not met" + "".join(f"\n  {text}" for text in failed) if failed else "\nall goals met")
sys.exit(1 if failed else 0)
