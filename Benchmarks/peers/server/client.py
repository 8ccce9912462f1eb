"""What a person's client does: asks for a reply and reads it as it comes, and votes."""
import asyncio
import collections
import json
import time

from . import settings

# A server that has stopped answering ends the run instead of holding it up for ever: seconds.
patience = 180

# What a client may meet on the wire. Before Python 3.11 asyncio's TimeoutError is no OSError.
troubles = (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError, ValueError)


class Counts:
    def __init__(self):
        self.first, self.tokens, self.turns, self.refused, self.filtered, self.left = [], 0, 0, 0, 0, 0
        self.errors = collections.Counter()
        self.prompt = self.cached = 0


def request(server, messages, **more):
    """The same words for both servers; they take no notice of fields that they do not know."""
    return {
        "model": server.model, "messages": messages, "max_tokens": settings.tokens, "temperature": 0.8, "top_p": 0.95, "top_k": 0,
        "min_p": 0,
        # No reply ends early, so that both write the same number of tokens.
        "logit_bias": {str(settings.config["eos_token_id"]): -100}, "stream": True, "stream_options": {"include_usage": True},
    } | more


async def turn(server, client, messages, counts, leave_after=None, **more):
    """One reply, read to its end: (text, id), or None after an error, or where the reader left after so many pieces. A refusal (429)
    counts, and one comes again when told to."""
    return await asyncio.wait_for(read(client, request(server, messages, **more), counts, leave_after), patience)


async def read(client, body, counts, leave_after):
    start = time.perf_counter()
    for _ in range(60):
        status = await client.send("POST", "/v1/chat/completions", body)
        if status == 200:
            break
        await client.whole()
        if status != 429:
            break
        counts.refused += 1
        await asyncio.sleep(float(client.headers.get("retry-after", 1)))
    if status != 200:
        counts.errors[f"status {status}"] += 1
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
            counts.left += 1
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


async def greedy(server):
    ask = request(server, [{"role": "user", "content": "Hello, what do hares eat?"}], temperature=0, stream=False)
    del ask["stream_options"]
    client = server.client()
    try:
        answer = await asyncio.wait_for(client.json("POST", "/v1/chat/completions", ask), patience)
    finally:
        client.close()
    return answer[1]["choices"][0]["message"]["content"]


async def vote(client, id, user, rating, **more):
    """A vote, or one taken back where there is no rating: the status of the answer."""
    body = {"message_id": id, "user": user} | ({"rating": rating} if rating else {"retract": True}) | more
    return (await asyncio.wait_for(client.json("POST", "/v1/feedback", body), patience))[0]
