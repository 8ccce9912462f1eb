"""People who come, talk, vote and leave, for long: memory and descriptors have to stay flat."""
import asyncio
import collections
import random
import re
import time

from http_client import Connection

from . import settings
from .client import Counts, patience, troubles, turn, vote
from .phrases import opening, said
from .process import own
from .report import faults, goal, table
from .trend import slope, thirds

# So much of the prefix cache counts as full.
full = 0.97


class Soak:
    """Talkers with a pause between turns; each reply is kept and gets a vote, one in twenty readers leaves in mid-stream."""

    def __init__(self, server):
        self.server, self.mode = server, "warm"
        self.counts, self.votes, self.errors = Counts(), 0, collections.Counter()
        self.samples, self.steady, self.filled, self.rest = [], (0, 0), 0.0, {}

    async def run(self):
        self.filled = await self.fill_cache()
        talkers = [asyncio.create_task(self.talk(person)) for person in range(settings.soak_chats)]
        await asyncio.sleep(min(30, settings.soak_seconds / 10))
        await self.watch()
        self.mode = "over"
        await asyncio.gather(*talkers)
        await asyncio.sleep(2)
        self.rest = self.server.descriptors()

    async def fill_cache(self):
        """Long messages until the prefix cache, which is bounded, is full, and ordinary talk for a while: from then on nothing has a reason
        to grow."""
        capacity, until = await self.metric("loam_model_cache_capacity_bytes"), time.perf_counter() + settings.warm_seconds
        fillers = [asyncio.create_task(self.fill(person)) for person in range(settings.soak_chats)]
        while time.perf_counter() < until and await self.metric("loam_model_cache_bytes") < full * capacity:
            await asyncio.sleep(0.5)
        filled = await self.metric("loam_model_cache_bytes") / capacity if capacity else 1.0
        self.mode = "steady"
        await asyncio.gather(*fillers)
        return filled

    async def fill(self, person):
        dice, client, ignored = random.Random(f"fill {person}"), self.server.client(person), Counts()
        while self.mode == "warm":
            words = " ".join(opening(dice) for _ in range(12))
            try:
                await turn(self.server, client, [{"role": "user", "content": words[:480]}], ignored, max_tokens=1)
            except troubles as error:
                ignored.errors[type(error).__name__] += 1
                client.close()
                await asyncio.sleep(1)
        self.counts.errors.update(ignored.errors)
        client.close()

    async def talk(self, person):
        dice, serial = random.Random(person), 0
        while self.mode != "over":
            serial += 1
            # Few addresses, so that what the server keeps by address is soon all there.
            client = self.server.client(dice.randrange(256))
            try:
                await self.conversation(client, f"{person}-{serial}", dice)
            except troubles as error:
                self.counts.errors[type(error).__name__] += 1
                # Not as fast as it goes where nobody is there to answer.
                await asyncio.sleep(1)
            finally:
                client.close()

    async def conversation(self, client, user, dice):
        messages = []
        for index in range(3):
            messages.append(said(index, dice))
            leave_after = 3 if dice.random() < 0.05 else None
            reply = await turn(self.server, client, messages, self.counts, leave_after=leave_after, store=True, user=user)
            if reply is None:
                return
            messages.append({"role": "assistant", "content": reply[0]})
            # Said, said again, and now and then taken back.
            for rating in (1, -1, None) if dice.random() < 0.2 else (1, -1):
                status = await vote(client, reply[1], user, rating)
                self.votes += 1
                if status != 200:
                    self.errors[f"status {status}"] += 1
            await asyncio.sleep(dice.uniform(0.2, 0.6))

    async def watch(self):
        before, start = (self.counts.turns, self.votes), time.perf_counter()
        while (now := time.perf_counter() - start) < settings.soak_seconds:
            self.server.expect_alive()
            self.samples.append({"at": now, "rss": self.server.rss(), "cache": await self.metric("loam_model_cache_bytes"),
                                 "descriptors": self.server.descriptors()["all"]})
            await asyncio.sleep(max(0.5, settings.soak_seconds / 600))
        self.steady = self.counts.turns - before[0], self.votes - before[1]

    async def metric(self, name):
        client = Connection(self.server.port)

        async def page():
            await client.send("GET", "/metrics")
            return (await client.whole()).decode()

        try:
            return float(re.search(rf"^{name} (\S+)$", await asyncio.wait_for(page(), patience), re.M)[1])
        except troubles:
            self.server.expect_alive()
            raise
        finally:
            client.close()


def run(folder):
    with own(folder / "soak.sqlite") as server:
        # The one who asked whether it is ready has left by now.
        time.sleep(1)
        idle = server.descriptors()
        soak = Soak(server)
        asyncio.run(soak.run())
    counts, samples, filled, rest = soak.counts, soak.samples, soak.filled, soak.rest
    # Where the cache was not full yet, what it holds is left out: it may grow, up to its bound.
    is_full, mega = filled >= full, 1 << 20
    for sample in samples:
        sample["judged"] = sample["rss"] - (0 if is_full else sample["cache"])
    middles = thirds(samples, ("rss", "judged", "descriptors"))
    errors = counts.errors + soak.errors
    figures = {
        "seconds": settings.soak_seconds, "turns": soak.steady[0], "votes": soak.steady[1], "readers_who_left": counts.left,
        "refused": counts.refused, "errors": dict(errors), "cache_filled": filled, "thirds": middles,
        "rss_slope_per_hour": slope(samples, "judged"), "descriptor_slope_per_hour": slope(samples, "descriptors"),
        "descriptors_idle": idle, "descriptors_after": rest, "samples": samples,
    }

    def row(label, key, unit, shown, rise):
        return [label, *(shown(samples[i][key] / unit) for i in (0, -1)), " / ".join(shown(m[key] / unit) for m in middles),
                f"{slope(samples, key) / unit:+.1f}{rise}"]

    rows = [["", "start", "end", "median of thirds", "slope of the last two thirds"]]
    rows.append(row("RSS, MB", "rss", mega, lambda v: f"{v:.1f}", " MB/h"))
    if not is_full:
        rows.append(row("RSS less the prefix cache, MB", "judged", mega, lambda v: f"{v:.1f}", " MB/h"))
    rows.append(row("open descriptors", "descriptors", 1, lambda v: f"{v:.0f}", "/h"))
    pace = [count / settings.soak_seconds for count in soak.steady]
    table(f"Soak: {settings.soak_chats} talkers with pauses, {settings.soak_seconds} s after a warm-up, {pace[0]:.1f} turns/s and "
          f"{pace[1]:.1f} votes/s, all kept", rows)
    print(f"Prefix cache {100 * filled:.0f} % full after the warm-up; {counts.left} readers left in mid-stream; {counts.refused} refusals; "
          f"sockets before {idle['sockets']}, {rest['sockets']} after all had left; errors: {faults(errors)}.")
    return figures, [
        goal(not errors and counts.refused == 0, "no error and no refusal"),
        goal(middles[2]["judged"] <= 1.05 * middles[1]["judged"],
             "memory is flat: the last third's median at most 5 % over the second third's"),
        goal(middles[2]["descriptors"] <= 1.05 * middles[1]["descriptors"] + 4,
             "descriptors are flat: the last third's median at most 5 % and 4 over the second third's"),
        goal(rest["sockets"] <= idle["sockets"] + 1, "sockets close when people leave: at most 1 more than before they came"),
    ]
