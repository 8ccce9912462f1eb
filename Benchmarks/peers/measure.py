"""Runs a command and measures it.

  python measure.py COMMAND…          prints seconds and peak memory in MB; the command's own output goes to standard error
  python measure.py --json COMMAND…   prints the last line of the command's output, a JSON object, with peak_memory_mb added
"""

import json
import resource
import subprocess
import sys
import time

as_json = sys.argv[1] == "--json"
start = time.monotonic()
done = subprocess.run(sys.argv[2 if as_json else 1:], stdout=subprocess.PIPE if as_json else sys.stderr)
seconds = time.monotonic() - start
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
if not as_json:
    print(f"{seconds:.2f} {peak:.0f}")
elif done.returncode == 0:
    lines = [line for line in done.stdout.decode().splitlines() if line.startswith("{")]
    print(json.dumps(json.loads(lines[-1]) | {"peak_memory_mb": round(peak)}))
sys.exit(done.returncode)
