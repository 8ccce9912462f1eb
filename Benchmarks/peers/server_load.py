"""Load on `loam serve` over loopback, beside llama.cpp's server on the same model: see Benchmarks/server, which calls it.

python server_load.py chats|feedback|http|soak|all. Settings come from the environment, the peer as well (PEER_COMMAND, PEER_LABEL).
Prints a table for each part, adds the figures to the JSON file OUT, and ends with 1 where something failed that may not fail. Standard
library only.
"""
import asyncio
import collections
import hashlib
import json
import os
import platform
import random
import re
import resource
import shlex
import shutil
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from http_client import Connection


def number(name, usual):
    return type(usual)(os.environ.get(name) or usual)


loam = os.environ.get("LOAM", ".build/release/loam")
model = os.environ.get("MODEL", "Models/loam-sample")
out = Path(os.environ.get("OUT", "runs/bench/server.json"))
threads = number("THREADS", 2)
chats, turns, tokens, rounds = number("CHATS", 64), number("TURNS", 4), number("TOKENS", 24), number("ROUNDS", 3)
vote_rate, vote_seconds = number("VOTE_RATE", 200), number("VOTE_SECONDS", 30)
http_seconds = number("HTTP_SECONDS", 10)
soak_seconds = number("SOAK", 600)
warm_seconds = number("WARM", max(20, min(300, soak_seconds // 2)))
soak_chats = number("SOAK_CHATS", 8)
peer_command, peer_label = os.environ.get("PEER_COMMAND"), os.environ.get("PEER_LABEL", "none")
peer_slots = [int(word) for word in os.environ.get("PEER_SLOTS", "16 64").split()]
settings = json.loads((Path(model) / "config.json").read_text())

openings = [
    "Hello, I am {name} and I live by the river.", "Good morning! {name} here. What do hares eat?",
    "My name is {name}. Can you tell me about the sea?", "Hi, {name} speaking. I like walking in the rain.",
]
remarks = [
    "What do you think of it?", "Tell me more, please.", "Do you like music?", "What should I cook tonight?", "I had a long day.",
    "Where would you go in spring?", "Why is that?", "That is nice to hear.",
]


# MARK: Servers


class Server:
    """A process of ours that answers HTTP; ended by its id."""

    def __init__(self, name, words, port, ready, headers):
        self.name, self.port, self.headers = name, port, headers
        self.log = tempfile.NamedTemporaryFile(prefix="server-", suffix=".log", dir=folder, delete=False)
        self.process = subprocess.Popen(words, stdout=self.log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        try:
            self.wait(ready)
        except BaseException:
            self.stop(signal.SIGKILL)
            raise
        self.model = asyncio.run(Connection(port).json("GET", "/v1/models"))[1]["data"][0]["id"]

    def wait(self, ready):
        until = time.monotonic() + 120
        while True:
            try:
                if asyncio.run(Connection(self.port).json("GET", ready))[0] == 200:
                    break
            except (OSError, asyncio.IncompleteReadError):
                pass
            if self.process.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"{self.name} did not come up:\n" + Path(self.log.name).read_text()[-2000:])
            time.sleep(0.1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def client(self, person=0):
        """Everybody has an address of their own, as behind a proxy: the bounds are for people, and are left as they are."""
        return Connection(self.port, {"X-Forwarded-For": address(person)} if self.headers else None)

    def seconds(self):
        """Processor time so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def address(person):
    return f"10.{person >> 16 & 255}.{person >> 8 & 255}.{person & 255}"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def own(store):
    port = free_port()
    words = [loam, "serve", "--model", model, "--port", str(port), "--store", str(store), "--threads", str(threads),
             "--trusted-proxy", "127.0.0.1"]
    return Server("loam", words, port, "/readyz", headers=True)


def peer(slots):
    """PEER_COMMAND with FILE, PORT, SLOTS, CONTEXT (of one slot), TOTAL (of all) and THREADS filled in."""
    port, context = free_port(), settings["max_position_embeddings"]
    places = {"PORT": port, "SLOTS": slots, "CONTEXT": context, "TOTAL": context * slots, "THREADS": threads}
    words = [re.sub(r"\{(\w+)\}", lambda found: str(places[found[1]]), word) for word in shlex.split(peer_command)]
    return Server("llama.cpp", words, port, "/health", headers=False)


# MARK: Chats


class Counts:
    def __init__(self):
        self.first, self.tokens, self.turns, self.refused, self.filtered = [], 0, 0, 0, 0
        self.errors = collections.Counter()
        self.prompt = self.cached = 0


def request(server, messages, **more):
    """The same words for both servers; they take no notice of fields that they do not know."""
    return {
        "model": server.model, "messages": messages, "max_tokens": tokens, "temperature": 0.8, "top_p": 0.95, "top_k": 0, "min_p": 0,
        # No reply ends early, so that both write the same number of tokens.
        "logit_bias": {str(settings["eos_token_id"]): -100}, "stream": True, "stream_options": {"include_usage": True},
    } | more


async def turn(server, client, messages, counts, leave_after=None, **more):
    """One reply, read to its end: (text, id), or None after an error. A refusal (429) counts, and one comes again when told to."""
    start = time.perf_counter()
    for _ in range(60):
        status = await client.send("POST", "/v1/chat/completions", request(server, messages, **more))
        if status != 429:
            break
        wait = float(client.headers.get("retry-after", 1))
        await client.whole()
        counts.refused += 1
        await asyncio.sleep(wait)
    if status != 200:
        counts.errors[f"status {status}"] += 1
        await client.whole()
        return None
    text, reason, usage, id, is_done, pieces = "", None, None, None, False, 0
    async for data in client.events():
        if data == b"[DONE]":
            is_done = True
            continue
        event = json.loads(data)
        if "error" in event:
            counts.errors[f"event {event['error'].get('code')}"] += 1
            client.close()
            return None
        id, usage = event.get("id") or id, event.get("usage") or usage
        for choice in event.get("choices", []):
            piece = choice.get("delta", {}).get("content")
            if piece:
                if not text:
                    counts.first.append(time.perf_counter() - start)
                text += piece
                pieces += 1
            reason = choice.get("finish_reason") or reason
        if leave_after and pieces >= leave_after:
            client.close()
            return None
    if not (is_done and reason and usage and text):
        counts.errors["a stream without its end"] += 1
        return None
    counts.turns += 1
    counts.tokens += usage["completion_tokens"]
    counts.prompt += usage["prompt_tokens"]
    counts.cached += (usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
    counts.filtered += reason == "content_filter"
    return text, id


def opening(dice):
    name = "".join(dice.choice(pair) for pair in ("BDFKLMNRST", "aeiou", "bdklmnrst", "aeiou"))
    return dice.choice(openings).format(name=name)


async def conversation(server, person, counts, seed):
    dice, client, messages = random.Random(f"{seed} {person}"), server.client(person), []
    try:
        for index in range(turns):
            messages.append({"role": "user", "content": dice.choice(remarks) if index else opening(dice)})
            # A server that has stopped answering ends the run instead of holding it up for ever.
            reply = await asyncio.wait_for(turn(server, client, messages, counts, seed=person + 1), 180)
            if reply is None:
                return
            messages.append({"role": "assistant", "content": reply[0]})
    except (OSError, asyncio.IncompleteReadError, ValueError) as error:
        counts.errors[type(error).__name__] += 1
    finally:
        client.close()


async def crowd(server, seed):
    counts = Counts()
    start, spent, mine = time.perf_counter(), server.seconds(), time.process_time()
    await asyncio.gather(*(conversation(server, person, counts, seed) for person in range(chats)))
    wall = time.perf_counter() - start
    first = sorted(counts.first) or [float("nan")]
    return {
        "seconds": wall, "turns": counts.turns, "tokens": counts.tokens, "tokens_per_second": counts.tokens / wall,
        "first_token_p50": quantile(first, 0.5), "first_token_p95": quantile(first, 0.95), "errors": dict(counts.errors),
        "refused": counts.refused, "filtered": counts.filtered, "prompt_tokens": counts.prompt, "cached_tokens": counts.cached,
        "server_cpu_seconds": server.seconds() - spent, "client_cpu_seconds": time.process_time() - mine,
    }


def quantile(values, share):
    return values[min(len(values) - 1, int(share * len(values)))]


async def greedy(server):
    ask = request(server, [{"role": "user", "content": "Hello, what do hares eat?"}], temperature=0, stream=False)
    del ask["stream_options"]
    return (await server.client().json("POST", "/v1/chat/completions", ask))[1]["choices"][0]["message"]["content"]


def part_chats():
    ways = {"loam": lambda: own(folder / "chats.sqlite")}
    if peer_command:
        ways |= {f"llama.cpp, {slots} slots": lambda slots=slots: peer(slots) for slots in peer_slots}
    runs, texts = collections.defaultdict(list), {}
    # They take turns: a machine that gets slower on the way slows all of them.
    for index in range(rounds):
        for name, make in ways.items():
            with make() as server:
                texts[name] = asyncio.run(greedy(server))
                runs[name].append(asyncio.run(crowd(server, index)))
                print(f"chats, run {index + 1}, {name}: {runs[name][-1]['seconds']:.1f} s", file=sys.stderr)
    figures = {}
    for name, results in runs.items():
        figures[name] = {key: statistics.median(r[key] for r in results) for key, value in results[0].items() if key != "errors"}
        figures[name]["errors"] = sum((collections.Counter(r["errors"]) for r in results), collections.Counter())
        for key in ("turns", "refused", "filtered"):
            figures[name][key] = sum(r[key] for r in results)
        figures[name]["runs"] = results
    mine = figures["loam"]
    others = {name: figure for name, figure in figures.items() if name != "loam"}
    title = f"{chats} chats at once, {turns} turns each, {tokens} tokens a reply, median of {rounds} runs"
    rows = [["", *figures, *(["loam / the better of the peer's"] if others else [])]]
    for label, key, best, shown in (
        ("first token p50, ms", "first_token_p50", min, lambda v: f"{1000 * v:.0f}"),
        ("first token p95, ms", "first_token_p95", min, lambda v: f"{1000 * v:.0f}"),
        ("tokens/s, all chats", "tokens_per_second", max, lambda v: f"{v:.0f}"),
        ("tokens of a prompt read before, %", "cached_tokens", None, None),
        ("processor of the server, s", "server_cpu_seconds", min, lambda v: f"{v:.1f}"),
        ("processor of the client, s", "client_cpu_seconds", None, lambda v: f"{v:.1f}"),
        ("turns, all runs", "turns", None, str), ("refused (429), came again", "refused", None, str),
        ("errors", "errors", None, lambda v: " ".join(f"{count} × {name}" for name, count in v.items()) or "0"),
        ("ended by a safety layer", "filtered", None, str),
    ):
        if key == "cached_tokens":
            row = [label, *(f"{100 * f[key] / max(f['prompt_tokens'], 1):.0f}" for f in figures.values())]
        else:
            row = [label, *(shown(f[key]) for f in figures.values())]
        if others:
            row.append(f"{mine[key] / best(f[key] for f in others.values()):.2f}" if best else "")
        rows.append(row)
    table(title, rows)
    if others:
        same = len(set(texts.values())) == 1
        print(f"Peer: {peer_label}. The same weights, 16 bits, {threads} threads; the same greedy reply: {'yes' if same else 'no'}. "
              "loam's safety layers run at every turn, llama.cpp has none.")
    else:
        print(f"No peer: {peer_label}.")
    expected = chats * turns * rounds
    return figures | {"greedy": texts}, [
        goal(not mine["errors"] and mine["turns"] == expected, f"no error: {mine['turns']} of {expected} turns answered whole"),
        goal(mine["refused"] == 0, f"nobody refused: {mine['refused']} times 429"),
    ]


# MARK: Feedback


def pseudonym(user):
    return "api-" + hashlib.sha256(f"loam client {user}".encode()).hexdigest()[:32]


async def stored_replies(server, count):
    """Ids of replies that the server keeps."""
    ids, queue = [], iter(range(count))

    async def ask():
        for person in queue:
            client = server.client(person)
            reply = await turn(server, client, [{"role": "user", "content": opening(random.Random(person))}], counts,
                               store=True, user=f"person-{person}", max_tokens=4)
            client.close()
            ids.append(reply[1])

    counts = Counts()
    await asyncio.gather(*(ask() for _ in range(8)))
    return ids


async def votes(server, ids):
    """An open loop: each vote has its time, whether or not the one before is answered. One in ten changes a vote that was acknowledged, one
    in fifty takes one back."""
    dice, total = random.Random(1), vote_rate * vote_seconds
    waiting, late, errors = asyncio.Queue(), [], collections.Counter()
    expected, acknowledged, changes = {}, [], 0
    start = time.perf_counter() + 0.2

    def send(person):
        kind = dice.random()
        if kind < 0.12 and len(acknowledged) > 100:
            # Taken off the list until it is answered: two changes of one vote are never under way together.
            index = dice.randrange(len(acknowledged))
            acknowledged[index], acknowledged[-1] = acknowledged[-1], acknowledged[index]
            id, user = acknowledged.pop()
            if kind < 0.02:
                return (id, user), None
            return (id, user), -(expected[id, user] or -1)
        return (dice.choice(ids), f"voter-{person}"), dice.choice([1, -1])

    async def work(person):
        nonlocal changes
        client = server.client(person)
        while (due := await waiting.get()) is not None:
            key, rating = send(due[1])
            body = {"message_id": key[0], "user": key[1]} | ({"rating": rating} if rating else {"retract": True})
            if rating == -1:
                body["reasons"] = ["repeating"]
            try:
                status, _ = await client.json("POST", "/v1/feedback", body)
            except (OSError, asyncio.IncompleteReadError) as error:
                errors[type(error).__name__] += 1
                client.close()
                continue
            late.append(time.perf_counter() - due[0])
            if status == 200:
                expected[key] = rating
                changes += 1
                if rating:
                    acknowledged.append(key)
            else:
                errors[f"status {status}"] += 1
        client.close()

    workers = [asyncio.create_task(work(person)) for person in range(64)]
    for index in range(total):
        due = start + index / vote_rate
        if (left := due - time.perf_counter()) > 0:
            await asyncio.sleep(left)
        waiting.put_nowait((due, index))
    for _ in workers:
        waiting.put_nowait(None)
    await asyncio.gather(*workers)
    wall = time.perf_counter() - start
    return expected, changes, sorted(late), errors, len(late) / wall


def part_feedback():
    store = folder / "feedback.sqlite"
    with own(store) as server:
        ids = asyncio.run(stored_replies(server, 200))
        expected, changes, late, errors, rate = asyncio.run(votes(server, ids))
        # What is acknowledged is on the disk: the server has no time to put its things in order.
        server.stop(signal.SIGKILL)
    with sqlite3.connect(store) as file:
        found = {(id, user): rating for id, user, rating in file.execute("SELECT messageID, userID, rating FROM feedback")}
        events = file.execute("SELECT count(*) FROM feedbackEvent").fetchone()[0]
    right = {(id, pseudonym(user)): rating for (id, user), rating in expected.items() if rating}
    wrong = sum(found.get(key) != rating for key, rating in right.items())
    back = sum((id, pseudonym(user)) in found for (id, user), rating in expected.items() if not rating)
    check = subprocess.run([loam, "store", "check", "--store", str(store)], capture_output=True, text=True)
    total = vote_rate * vote_seconds
    figures = {
        "asked_per_second": vote_rate, "reached_per_second": rate, "sent": total, "acknowledged": changes, "errors": dict(errors),
        "p50": quantile(late, 0.5), "p95": quantile(late, 0.95), "p99": quantile(late, 0.99), "votes_expected": len(right),
        "votes_found": len(found), "votes_wrong": wrong, "retracted_still_there": back, "events_found": events,
        "store_check": check.returncode,
    }
    table(f"{vote_rate} requests/s of feedback for {vote_seconds} s, then SIGKILL, then the store is read", [
        ["", "loam"], ["reached, requests/s", f"{rate:.1f}"], ["acknowledged of sent", f"{changes} of {total}"],
        ["answer after its time p50 / p95 / p99, ms", " / ".join(f"{1000 * figures[p]:.1f}" for p in ("p50", "p95", "p99"))],
        ["votes in the store, of those acknowledged", f"{len(right) - wrong} of {len(right)}"],
        ["votes taken back that are still there", str(back)],
        ["changes in its history, of those acknowledged", f"{events} of {changes}"],
        ["errors", " ".join(f"{count} × {name}" for name, count in errors.items()) or "0"],
    ])
    print("pace kept" if rate >= 0.98 * vote_rate else "pace NOT kept: fewer requests/s than asked for")
    return figures, [
        goal(not errors and changes == total, f"no error: {changes} of {total} acknowledged"),
        goal(wrong == 0 and back == 0 and len(found) == len(right) and events == changes,
             "none lost: the store holds what was acknowledged"),
        goal(check.returncode == 0, "loam store check finds the store whole after SIGKILL"),
    ]


# MARK: HTTP

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


def wrk(port, path):
    file = folder / "people.lua"
    file.write_text(script)
    command = ["wrk", "-t1", "-c64", f"-d{http_seconds}s", "-s", str(file), f"http://127.0.0.1:{port}{path}"]
    figures = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip().splitlines()[-1])
    return figures | {"per_second": figures["requests"] / figures["seconds"]}


def part_http():
    if shutil.which("wrk") is None:
        return {}, [goal(False, "wrk is there (Debian: apt-get install wrk)")]
    ways = {"loam": (lambda: own(folder / "http.sqlite"), ("/healthz", "/v1/models"))}
    if peer_command:
        ways["llama.cpp"] = lambda: peer(peer_slots[-1]), ("/health", "/v1/models")
    figures = collections.defaultdict(dict)
    for name, (make, paths) in ways.items():
        with make() as server:
            for path in paths:
                wrk_figures = wrk(server.port, path)
                figures["/healthz" if path == "/health" else path][name] = wrk_figures
    rows = [["", *ways, *(["loam / llama.cpp"] if peer_command else [])]]
    for path, by in figures.items():
        rows.append([f"{path}, requests/s", *(f"{by[name]['per_second']:.0f}" for name in ways)])
        rows.append([f"{path}, p50 / p99, ms", *(f"{1000 * by[name]['p50']:.1f} / {1000 * by[name]['p99']:.1f}" for name in ways)])
        rows.append([f"{path}, failed + not 200", *(f"{by[name]['errors']} + {by[name]['refused']}" for name in ways)])
        if peer_command:
            rows[-3].append(f"{by['loam']['per_second'] / by['llama.cpp']['per_second']:.2f}")
            rows[-2].append("")
            rows[-1].append("")
    table(f"wrk, one thread, 64 connections, {http_seconds} s", rows)
    bad = sum(by["loam"]["errors"] + by["loam"]["refused"] for by in figures.values())
    return figures, [goal(bad == 0, f"every answer is 200: {bad} were not")]


# MARK: Soak


async def soak(server):
    """Talkers with a pause between turns; each reply is kept and gets a vote, one in twenty readers leaves in mid-stream."""
    counts, samples, cut = Counts(), [], 0
    votes, vote_errors = 0, collections.Counter()
    mode = "warm"

    async def talk(person):
        nonlocal cut, votes
        dice, serial = random.Random(person), 0
        # Few addresses, so that what the server keeps by address is soon all there.
        while mode != "over":
            serial += 1
            client, messages = server.client(dice.randrange(256)), []
            try:
                for index in range(3):
                    messages.append({"role": "user", "content": dice.choice(remarks) if index else opening(dice)})
                    leaves = dice.random() < 0.05
                    user = f"{person}-{serial}"
                    reply = await turn(server, client, messages, counts, leave_after=3 if leaves else None, store=True, user=user)
                    if leaves:
                        cut += 1
                    if reply is None:
                        break
                    messages.append({"role": "assistant", "content": reply[0]})
                    # Said, said again, and now and then taken back.
                    for rating in (1, -1, None) if dice.random() < 0.2 else (1, -1):
                        body = {"message_id": reply[1], "user": user} | ({"rating": rating} if rating else {"retract": True})
                        status, _ = await client.json("POST", "/v1/feedback", body)
                        votes += 1
                        if status != 200:
                            vote_errors[f"status {status}"] += 1
                    await asyncio.sleep(dice.uniform(0.2, 0.6))
            except (OSError, asyncio.IncompleteReadError, ValueError) as error:
                counts.errors[type(error).__name__] += 1
            client.close()

    async def metric(name):
        client = Connection(server.port)
        await client.send("GET", "/metrics")
        page = (await client.whole()).decode()
        client.close()
        return float(re.search(rf"^{name} (\S+)$", page, re.M)[1])

    async def fill(person):
        dice, client, ignored = random.Random(f"fill {person}"), server.client(person), Counts()
        while mode == "warm":
            words = " ".join(opening(dice) for _ in range(12))
            await turn(server, client, [{"role": "user", "content": words[:480]}], ignored, max_tokens=1)
        counts.errors.update(ignored.errors)
        client.close()

    # Long messages until the prefix cache, which is bounded, is full, and ordinary talk for a while: from then on nothing has a reason to
    # grow.
    capacity, until = await metric("loam_model_cache_capacity_bytes"), time.perf_counter() + warm_seconds
    fillers = [asyncio.create_task(fill(person)) for person in range(soak_chats)]
    while time.perf_counter() < until and await metric("loam_model_cache_bytes") < 0.97 * capacity:
        await asyncio.sleep(0.5)
    filled = await metric("loam_model_cache_bytes") / capacity
    mode = "steady"
    await asyncio.gather(*fillers)
    talkers = [asyncio.create_task(talk(person)) for person in range(soak_chats)]
    await asyncio.sleep(min(30, soak_seconds / 10))
    before, start = (counts.turns, votes), time.perf_counter()
    while (now := time.perf_counter() - start) < soak_seconds:
        samples.append({"at": now, "rss": rss(server.process.pid), "cache": await metric("loam_model_cache_bytes"),
                        "descriptors": descriptors(server.process.pid)["all"]})
        await asyncio.sleep(max(0.5, soak_seconds / 600))
    counts.steady = counts.turns - before[0], votes - before[1]
    mode = "over"
    await asyncio.gather(*talkers)
    await asyncio.sleep(2)
    return counts, samples, cut, vote_errors, filled, descriptors(server.process.pid)


def descriptors(pid):
    """How many are open: all, and sockets."""
    links = []
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            links.append(os.readlink(f"/proc/{pid}/fd/{name}"))
        except FileNotFoundError:
            pass
    return {"all": len(links), "sockets": sum(link.startswith("socket:") for link in links)}


def rss(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) * 1024


def slope(samples, key):
    """Least squares over the last two thirds, per hour."""
    points = [(s["at"], s[key]) for s in samples if s["at"] >= samples[-1]["at"] / 3]
    middle = statistics.mean(x for x, _ in points), statistics.mean(y for _, y in points)
    spread = sum((x - middle[0]) ** 2 for x, _ in points)
    return 3600 * sum((x - middle[0]) * (y - middle[1]) for x, y in points) / spread if spread else 0.0


def part_soak():
    with own(folder / "soak.sqlite") as server:
        idle = descriptors(server.process.pid)
        counts, samples, cut, vote_errors, filled, rest = asyncio.run(soak(server))
    # Where the cache was not full yet, what it holds is left out: it may grow, up to its bound.
    is_full, mega = filled >= 0.97, 1 << 20
    for sample in samples:
        sample["judged"] = sample["rss"] - (0 if is_full else sample["cache"])
    third = samples[-1]["at"] / 3
    middles = [
        {key: statistics.median(s[key] for s in samples if low <= s["at"] / third <= low + 1) for key in ("rss", "judged", "descriptors")}
        for low in range(3)
    ]
    errors = counts.errors + vote_errors
    figures = {
        "seconds": soak_seconds, "turns": counts.steady[0], "votes": counts.steady[1], "readers_who_left": cut, "refused": counts.refused,
        "errors": dict(errors), "cache_filled": filled, "thirds": middles, "rss_slope_per_hour": slope(samples, "judged"),
        "descriptor_slope_per_hour": slope(samples, "descriptors"), "descriptors_idle": idle, "descriptors_after": rest, "samples": samples,
    }
    rows = [["", "start", "end", "median of thirds", "slope of the last two thirds"]]
    rows.append(["RSS, MB", *(f"{samples[i]['rss'] / mega:.1f}" for i in (0, -1)), " / ".join(f"{m['rss'] / mega:.1f}" for m in middles),
                 f"{slope(samples, 'rss') / mega:+.1f} MB/h"])
    if not is_full:
        rows.append(["RSS less the prefix cache, MB", *(f"{samples[i]['judged'] / mega:.1f}" for i in (0, -1)),
                     " / ".join(f"{m['judged'] / mega:.1f}" for m in middles), f"{slope(samples, 'judged') / mega:+.1f} MB/h"])
    rows.append(["open descriptors", *(str(samples[i]["descriptors"]) for i in (0, -1)),
                 " / ".join(f"{m['descriptors']:.0f}" for m in middles), f"{slope(samples, 'descriptors'):+.1f}/h"])
    table(f"Soak: {soak_chats} talkers with pauses, {soak_seconds} s after a warm-up, {counts.steady[0] / soak_seconds:.1f} turns/s and "
          f"{counts.steady[1] / soak_seconds:.1f} votes/s, all kept", rows)
    faults = " ".join(f"{count} × {name}" for name, count in errors.items()) or "0"
    print(f"Prefix cache {100 * filled:.0f} % full after the warm-up; {cut} readers left in mid-stream; {counts.refused} refusals; sockets "
          f"before {idle['sockets']}, {rest['sockets']} after all had left; errors: {faults}.")
    return figures, [
        goal(not errors and counts.refused == 0, "no error and no refusal"),
        goal(middles[2]["judged"] <= 1.05 * middles[1]["judged"],
             "memory is flat: the last third's median at most 5 % over the second third's"),
        goal(middles[2]["descriptors"] <= 1.05 * middles[1]["descriptors"] + 4,
             "descriptors are flat: the last third's median at most 5 % and 4 over the second third's"),
        goal(rest["sockets"] <= idle["sockets"] + 1, "sockets close when people leave: at most 1 more than before they came"),
    ]


# MARK: The whole


def table(title, rows):
    print(f"\n**{title}**\n")
    for index, row in enumerate(rows):
        print("| " + " | ".join(row) + " |")
        if index == 0:
            print("| " + " | ".join(["---"] * len(row)) + " |")
    print()


def goal(is_met, text):
    print(f"{'met' if is_met else 'NOT MET'}: {text}")
    return {"met": bool(is_met), "goal": text}


parts = {"chats": part_chats, "feedback": part_feedback, "http": part_http, "soak": part_soak}
chosen = sys.argv[1] if len(sys.argv) > 1 else "all"
if chosen not in (*parts, "all"):
    raise SystemExit(f"server_load.py: {chosen} is none of {', '.join(parts)}, all")
# Told to end, it ends what it started.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
processor = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
figures = json.loads(out.read_text()) if out.exists() else {}
failed = []
with tempfile.TemporaryDirectory(prefix="loam-server-", dir=os.environ.get("SCRATCH")) as name:
    folder = Path(name)
    for part in parts if chosen == "all" else [chosen]:
        load, at = os.getloadavg()[0], time.strftime("%Y-%m-%dT%H:%M:%S%z")
        result, goals = parts[part]()
        figures[part] = {
            "at": at, "processor": processor, "cores": os.cpu_count(), "load_before": load, "peer": peer_label, "figures": result,
            "goals": goals,
        }
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(figures, indent=1) + "\n")
        failed += [g["goal"] for g in goals if not g["met"]]
        if load > 0.5:
            print(f"(The machine was busy before, load {load:.1f}: threads that wait for each other lose by that, llama.cpp's above all.)")
print(f"\n{len(failed)} goals not met" + "".join(f"\n  {text}" for text in failed) if failed else "\nall goals met")
sys.exit(1 if failed else 0)
