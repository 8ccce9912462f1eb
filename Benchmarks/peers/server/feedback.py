"""Votes at a steady pace, then SIGKILL: what was acknowledged has to be in the store."""
import asyncio
import collections
import contextlib
import hashlib
import random
import signal
import sqlite3
import subprocess
import time

from . import settings
from .client import Counts, troubles, turn, vote
from .phrases import opening
from .process import own
from .report import faults, goal, quantile, table

total = settings.vote_rate * settings.vote_seconds


def pseudonym(user):
    return "api-" + hashlib.sha256(f"loam client {user}".encode()).hexdigest()[:32]


async def stored_replies(server, count):
    """Ids of replies that the server keeps."""
    ids, queue, counts = [], iter(range(count)), Counts()

    async def ask():
        for person in queue:
            client = server.client(person)
            try:
                reply = await turn(server, client, [{"role": "user", "content": opening(random.Random(person))}], counts,
                                   store=True, user=f"person-{person}", max_tokens=4)
            finally:
                client.close()
            if reply is None:
                raise SystemExit(f"feedback: a reply to vote on did not come: {faults(counts.errors)}")
            ids.append(reply[1])

    await asyncio.gather(*(ask() for _ in range(8)))
    return ids


class Votes:
    """An open loop: each vote has its time, whether or not the one before is answered. One in ten changes a vote that was acknowledged, one
    in fifty takes one back."""

    def __init__(self, server, ids):
        self.server, self.ids, self.dice = server, ids, random.Random(1)
        self.waiting, self.late, self.errors = asyncio.Queue(), [], collections.Counter()
        self.expected, self.acknowledged, self.changes, self.rate = {}, [], 0, 0.0

    def choose(self, person):
        kind = self.dice.random()
        if kind < 0.12 and len(self.acknowledged) > 100:
            # Taken off the list until it is answered: two changes of one vote are never under way together.
            index = self.dice.randrange(len(self.acknowledged))
            self.acknowledged[index], self.acknowledged[-1] = self.acknowledged[-1], self.acknowledged[index]
            key = self.acknowledged.pop()
            return key, None if kind < 0.02 else -(self.expected[key] or -1)
        return (self.dice.choice(self.ids), f"voter-{person}"), self.dice.choice([1, -1])

    async def work(self, person):
        client = self.server.client(person)
        try:
            while (task := await self.waiting.get()) is not None:
                due, voter = task
                key, rating = self.choose(voter)
                try:
                    status = await vote(client, *key, rating, **({"reasons": ["repeating"]} if rating == -1 else {}))
                except troubles as error:
                    self.errors[type(error).__name__] += 1
                    client.close()
                    if isinstance(error, asyncio.TimeoutError):
                        # It has stopped answering: the votes that are left are not waited for one by one.
                        return
                    continue
                self.late.append(time.perf_counter() - due)
                if status == 200:
                    self.expected[key] = rating
                    self.changes += 1
                    if rating:
                        self.acknowledged.append(key)
                else:
                    self.errors[f"status {status}"] += 1
        finally:
            client.close()

    async def run(self):
        start = time.perf_counter() + 0.2
        workers = [asyncio.create_task(self.work(person)) for person in range(64)]
        for index in range(total):
            due = start + index / settings.vote_rate
            if (left := due - time.perf_counter()) > 0:
                await asyncio.sleep(left)
            self.waiting.put_nowait((due, index))
        for _ in workers:
            self.waiting.put_nowait(None)
        await asyncio.gather(*workers)
        self.rate = len(self.late) / (time.perf_counter() - start)


async def load(server):
    votes = Votes(server, await stored_replies(server, 200))
    await votes.run()
    return votes


def run(folder):
    store = folder / "feedback.sqlite"
    with own(store) as server:
        votes = asyncio.run(load(server))
        # What is acknowledged is on the disk: the server has no time to put its things in order.
        server.stop(signal.SIGKILL)
    # Open until the check is done: the last to close a store would put its log in order, and the check has to find it as SIGKILL left it.
    with contextlib.closing(sqlite3.connect(store)) as file:
        found = {(id, user): rating for id, user, rating in file.execute("SELECT messageID, userID, rating FROM feedback")}
        events = file.execute("SELECT count(*) FROM feedbackEvent").fetchone()[0]
        check = subprocess.run([settings.loam, "store", "check", "--store", str(store)], capture_output=True, text=True, timeout=300)
    right = {(id, pseudonym(user)): rating for (id, user), rating in votes.expected.items() if rating}
    wrong = sum(found.get(key) != rating for key, rating in right.items())
    back = sum((id, pseudonym(user)) in found for (id, user), rating in votes.expected.items() if not rating)
    late, changes = sorted(votes.late), votes.changes
    figures = {
        "asked_per_second": settings.vote_rate, "reached_per_second": votes.rate, "sent": total, "acknowledged": changes,
        "errors": dict(votes.errors), "p50": quantile(late, 0.5), "p95": quantile(late, 0.95), "p99": quantile(late, 0.99),
        "votes_expected": len(right), "votes_found": len(found), "votes_wrong": wrong, "retracted_still_there": back,
        "events_found": events, "store_check": check.returncode,
    }
    table(f"{settings.vote_rate} requests/s of feedback for {settings.vote_seconds} s, then SIGKILL, then the store is read", [
        ["", "loam"], ["reached, requests/s", f"{votes.rate:.1f}"], ["acknowledged of sent", f"{changes} of {total}"],
        ["answer after its time p50 / p95 / p99, ms", " / ".join(f"{1000 * figures[p]:.1f}" for p in ("p50", "p95", "p99"))],
        ["votes in the store, of those acknowledged", f"{len(right) - wrong} of {len(right)}"],
        ["votes taken back that are still there", str(back)],
        ["changes in its history, of those acknowledged", f"{events} of {changes}"], ["errors", faults(votes.errors)],
    ])
    print("pace kept" if votes.rate >= 0.98 * settings.vote_rate else "pace NOT kept: fewer requests/s than asked for")
    return figures, [
        goal(not votes.errors and changes == total, f"no error: {changes} of {total} acknowledged"),
        goal(wrong == 0 and back == 0 and len(found) == len(right) and events == changes,
             "none lost: the store holds what was acknowledged"),
        goal(check.returncode == 0, "loam store check finds the store whole after SIGKILL"),
    ]
