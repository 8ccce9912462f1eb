"""What a simulated log would hold if people said less, or raters more.

  less_feedback.py thumbs LOG OUT         no reasons, no comments, no corrections
  less_feedback.py reasons LOG OUT        no corrections
  less_feedback.py raters LOG OUT TRUTH   one voted reply in a hundred, judged rightly: a file for `--anchors`
"""
import json
import sys

kind, log, out = sys.argv[1:4]
truth = {}
if kind == "raters":
    for line in open(sys.argv[4], encoding="utf-8"):
        entry = json.loads(line)
        if "category" in entry:
            truth[entry["message_id"]] = entry["category"]
said = {"thumbs": ["reasons", "comment", "correction"], "reasons": ["correction"], "raters": []}[kind]
voted = 0
with open(out, "w", encoding="utf-8") as written:
    if kind == "raters":
        written.write("item,label\n")
    for line in open(log, encoding="utf-8"):
        conversation = json.loads(line)
        for message in conversation["message_history"]:
            for feedback in message.get("feedback", []):
                for field in said:
                    feedback.pop(field, None)
            if kind == "thumbs":
                message.pop("dislike_type", None)
            name = message.get("bot_message_id")
            if kind == "raters" and name in truth and (message.get("is_liked") or message.get("is_disliked")):
                voted += 1
                if voted % 100 == 0:
                    written.write(f"{conversation['chat_id']}/{name},{int(truth[name] == 'good')}\n")
        if kind != "raters":
            written.write(json.dumps(conversation, ensure_ascii=False) + "\n")
