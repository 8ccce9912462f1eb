"""The peer of `loam export --to loam` without de-identification: conversations out of the peer's SQLite file as lines."""

import json
import sqlite3
import sys

store, out = sys.argv[1:3]
db = sqlite3.connect(store)
with open(out, "w", encoding="utf-8") as file:
    for name, text in db.execute("SELECT id, json FROM conversation ORDER BY id"):
        chat = json.loads(text)
        votes = dict(db.execute("SELECT message, rating FROM feedback WHERE conversation = ?", (name,)))
        for message in chat["message_history"]:
            rating = votes.get(message.get("bot_message_id"), 0)
            if rating:
                message["is_liked"], message["is_disliked"] = rating > 0, rating < 0
        file.write(json.dumps(chat, ensure_ascii=False, separators=(",", ":")) + "\n")
