"""What to measure and how much of it, from the environment: see Benchmarks/server."""
import json
import os
from pathlib import Path


def number(name, usual, least=1):
    word = os.environ.get(name) or str(usual)
    try:
        value = int(word)
    except ValueError:
        raise SystemExit(f"server_load.py: {name} is {word}, not a whole number") from None
    if value < least:
        raise SystemExit(f"server_load.py: {name} is {value}, and at least {least} is needed")
    return value


loam = os.environ.get("LOAM", ".build/release/loam")
model = os.environ.get("MODEL", "Models/loam-sample")
config = json.loads((Path(model) / "config.json").read_text())
out = Path(os.environ.get("OUT", "runs/bench/server.json"))
threads = number("THREADS", 2, least=0)

chats, turns, tokens, rounds = number("CHATS", 64), number("TURNS", 4), number("TOKENS", 24), number("ROUNDS", 3)
vote_rate, vote_seconds = number("VOTE_RATE", 200), number("VOTE_SECONDS", 30)
http_seconds = number("HTTP_SECONDS", 10)
soak_seconds = number("SOAK", 600)
warm_seconds = number("WARM", max(20, min(300, soak_seconds // 2)), least=0)
soak_chats = number("SOAK_CHATS", 8)

peer_command, peer_label = os.environ.get("PEER_COMMAND"), os.environ.get("PEER_LABEL", "none")
peer_slots = [int(word) for word in (os.environ.get("PEER_SLOTS") or "16 64").split()]
