"""Many chats at once, streamed, beside the peer's."""
import asyncio
import collections
import random
import statistics
import sys
import time

from . import settings
from .client import Counts, greedy, troubles, turn
from .phrases import said
from .process import own, peer
from .report import faults, goal, quantile, ratio, table


async def conversation(server, person, counts, seed):
    dice, client, messages = random.Random(f"{seed} {person}"), server.client(person), []
    try:
        for index in range(settings.turns):
            messages.append(said(index, dice))
            reply = await turn(server, client, messages, counts, seed=person + 1)
            if reply is None:
                return
            messages.append({"role": "assistant", "content": reply[0]})
    except troubles as error:
        counts.errors[type(error).__name__] += 1
    finally:
        client.close()


async def crowd(server, seed):
    counts = Counts()
    start, spent, mine = time.perf_counter(), server.seconds(), time.process_time()
    await asyncio.gather(*(conversation(server, person, counts, seed) for person in range(settings.chats)))
    wall = time.perf_counter() - start
    first = sorted(counts.first)
    return {
        "seconds": wall, "turns": counts.turns, "tokens": counts.tokens, "tokens_per_second": counts.tokens / wall,
        "first_token_p50": quantile(first, 0.5), "first_token_p95": quantile(first, 0.95), "errors": dict(counts.errors),
        "refused": counts.refused, "filtered": counts.filtered, "prompt_tokens": counts.prompt, "cached_tokens": counts.cached,
        "server_cpu_seconds": server.seconds() - spent, "client_cpu_seconds": time.process_time() - mine,
    }


def measure(folder):
    """Every run of every server, and its greedy reply."""
    ways = {"loam": lambda: own(folder / "chats.sqlite")}
    if settings.peer_command:
        ways |= {f"llama.cpp, {slots} slots": lambda slots=slots: peer(slots, folder) for slots in settings.peer_slots}
    runs, texts = collections.defaultdict(list), {}
    # They take turns: a machine that gets slower on the way slows all of them.
    for index in range(settings.rounds):
        for name, make in ways.items():
            with make() as server:
                texts[name] = asyncio.run(greedy(server))
                runs[name].append(asyncio.run(crowd(server, index)))
                print(f"chats, run {index + 1}, {name}: {runs[name][-1]['seconds']:.1f} s", file=sys.stderr)
    return runs, texts


def summary(results):
    figures = {key: statistics.median(r[key] for r in results) for key in results[0] if key != "errors"}
    figures["errors"] = sum((collections.Counter(r["errors"]) for r in results), collections.Counter())
    for key in ("turns", "refused", "filtered"):
        figures[key] = sum(r[key] for r in results)
    figures["runs"] = results
    return figures


def rows(figures):
    mine = figures["loam"]
    others = [figure for name, figure in figures.items() if name != "loam"]
    yield ["", *figures, *(["loam / the better of the peer's"] if others else [])]
    for label, key, best, shown in (
        ("first token p50, ms", "first_token_p50", min, lambda v: f"{1000 * v:.0f}"),
        ("first token p95, ms", "first_token_p95", min, lambda v: f"{1000 * v:.0f}"),
        ("tokens/s, all chats", "tokens_per_second", max, lambda v: f"{v:.0f}"),
        ("tokens of a prompt read before, %", "cached_tokens", None, None),
        ("processor of the server, s", "server_cpu_seconds", min, lambda v: f"{v:.1f}"),
        ("processor of the client, s", "client_cpu_seconds", None, lambda v: f"{v:.1f}"),
        ("turns, all runs", "turns", None, str), ("refused (429), came again", "refused", None, str),
        ("errors", "errors", None, faults), ("ended by a safety layer", "filtered", None, str),
    ):
        if key == "cached_tokens":
            row = [label, *(f"{100 * f[key] / max(f['prompt_tokens'], 1):.0f}" for f in figures.values())]
        else:
            row = [label, *(shown(f[key]) for f in figures.values())]
        if others:
            row.append(ratio(mine[key], best(f[key] for f in others)) if best else "")
        yield row


def run(folder):
    runs, texts = measure(folder)
    figures = {name: summary(results) for name, results in runs.items()}
    mine = figures["loam"]
    table(f"{settings.chats} chats at once, {settings.turns} turns each, {settings.tokens} tokens a reply, median of {settings.rounds} runs",
          rows(figures))
    if settings.peer_command:
        same = len(set(texts.values())) == 1
        print(f"Peer: {settings.peer_label}. The same weights, 16 bits, {settings.threads} threads; the same greedy reply: "
              f"{'yes' if same else 'no'}. loam's safety layers run at every turn, llama.cpp has none.")
    else:
        print(f"No peer: {settings.peer_label}.")
    expected = settings.chats * settings.turns * settings.rounds
    return figures | {"greedy": texts}, [
        goal(not mine["errors"] and mine["turns"] == expected, f"no error: {mine['turns']} of {expected} turns answered whole"),
        goal(mine["refused"] == 0, f"nobody refused: {mine['refused']} times 429"),
    ]
