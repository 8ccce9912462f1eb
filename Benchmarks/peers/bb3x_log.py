"""A made-up log in the shape of the BB3x release: N utterances in 100 chunks, the same for the same N.

    python3 bb3x_log.py UTTERANCES FOLDER

Texts are drawn from a small vocabulary with Zipf-like frequencies; rates of votes, memories and searches are about the
release's. About 21 messages a conversation, five conversations a person.
"""

import json
import os
import random
import sys

count, folder = int(sys.argv[1]), sys.argv[2]
os.makedirs(folder, exist_ok=True)
rng = random.Random(17)
syllables = ["ka", "lo", "mi", "ne", "ru", "sa", "to", "vi", "ba", "de", "fu", "go"]
words = ["".join(rng.choice(syllables) for _ in range(rng.randint(1, 4))) for _ in range(3000)]
weights = [1 / (rank + 3) for rank in range(len(words))]
# Drawn ahead: choosing one by one would be the slowest part of the benchmark.
stream = rng.choices(words, weights, k=1 << 20)
place = 0


def text(low, high):
    global place
    n = rng.randint(low, high)
    if place + n >= len(stream):
        place = rng.randint(0, 1000)
    place += n
    return " ".join(stream[place - n : place])


def uuid():
    h = "%032x" % rng.getrandbits(128)
    return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"


files = [open(os.path.join(folder, f"release_data_{i:02d}.jsonl"), "w", encoding="utf-8") for i in range(100)]
people = [uuid() for _ in range(max(10, count // 105))]
written = conversations = 0
while written < count:
    user = people[min(int(rng.paretovariate(1.2)) - 1, len(people) - 1) if rng.random() < 0.3 else rng.randrange(len(people))]
    memories, history = [], []
    for turn in range(rng.randint(4, 38)):
        if turn % 2 == 0:
            message = {"text": text(2, 18), "sender": "human", "human_message_id": uuid(), "is_dislike_feedback": False}
        else:
            vote = rng.random()
            if rng.random() < 0.3:
                memories.append("Person 2's Persona: " + text(4, 9))
            searches = rng.random() < 0.15
            message = {
                "text": text(5, 28), "sender": "bot", "bot_message_id": uuid(), "is_liked": vote < 0.035,
                "is_disliked": 0.035 <= vote < 0.05, "memories": memories[-3:], "memory_decision": "do not access memory",
                "search_decision": "search" if searches else "do not search", "is_safety_controlled_response": rng.random() < 0.03,
            }
            if message["is_disliked"]:
                message["dislike_type"] = rng.choice(["off_topic", "nonsensical", "inappropriate", "other"])
            if searches:
                message["search_query"] = text(2, 5)
                message["search_knowledge"] = text(10, 30)
        message["annotations"] = {"safety": {"duo_safety": "__notok__" if rng.random() < 0.05 else "__ok__", "string_matcher": "__ok__"}}
        history.append(message)
    chat = {"user_pseudo_id": user, "chat_id": uuid(), "message_history": history}
    files[conversations % 100].write(json.dumps(chat, ensure_ascii=False) + "\n")
    written += len(history)
    conversations += 1
for file in files:
    file.close()
print(f"{written} messages of {conversations} conversations")
