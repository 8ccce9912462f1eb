"""The peer of `loam import`: a log (or a folder of chunks) into SQLite with Python's own json and sqlite3, tables and
indexes of the same kind, the same care for the disk."""

import glob
import json
import os
import sqlite3
import sys

log, store = sys.argv[1:3]
db = sqlite3.connect(store)
db.executescript(
    """
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE conversation (id TEXT PRIMARY KEY, user TEXT, consent TEXT, json TEXT);
    CREATE TABLE message (conversation TEXT, place INTEGER, id TEXT, sender TEXT, text TEXT, PRIMARY KEY (conversation, id));
    CREATE TABLE feedback (conversation TEXT, message TEXT, user TEXT, rating INTEGER, PRIMARY KEY (conversation, message, user));
    CREATE INDEX by_user ON conversation (user);
    """
)
pending = 0
logs = sorted(glob.glob(os.path.join(log, "*.jsonl"))) if os.path.isdir(log) else [log]
for line in (line for name in logs for line in open(name, encoding="utf-8")):
    chat = json.loads(line)
    if chat.get("consent") == "none":
        continue
    db.execute(
        "INSERT OR REPLACE INTO conversation VALUES (?, ?, ?, ?)",
        (chat["chat_id"], chat["user_pseudo_id"], chat.get("consent", "improve"), line),
    )
    for place, message in enumerate(chat["message_history"]):
        name = message.get("bot_message_id") or message.get("human_message_id")
        db.execute(
            "INSERT OR REPLACE INTO message VALUES (?, ?, ?, ?, ?)",
            (chat["chat_id"], place, name, message["sender"], message["text"]),
        )
        rating = 1 if message.get("is_liked") else -1 if message.get("is_disliked") else 0
        if rating:
            db.execute(
                "INSERT OR REPLACE INTO feedback VALUES (?, ?, ?, ?)",
                (chat["chat_id"], name, chat["user_pseudo_id"], rating),
            )
    pending += 1
    if pending % 500 == 0:
        db.commit()
db.commit()
