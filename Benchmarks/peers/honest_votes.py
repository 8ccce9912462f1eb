"""LOG TRUTH OUT: a simulated log with the exact judge's word in place of every thumb; who votes on what stays as it is.

Reasons and corrections stay with thumbs that were right and go with those that were not."""
import json
import sys

log, truth, out = sys.argv[1:]
verdicts = {}
for line in open(truth, encoding="utf-8"):
    entry = json.loads(line)
    if "category" in entry:
        verdicts[entry["message_id"]] = entry["category"]
with open(out, "w", encoding="utf-8") as written:
    for line in open(log, encoding="utf-8"):
        conversation = json.loads(line)
        for message in conversation["message_history"]:
            good = verdicts.get(message.get("bot_message_id"))
            if good is None:
                continue
            good = good == "good"
            if message.get("is_liked" if not good else "is_disliked"):
                message.pop("is_liked", None)
                message.pop("is_disliked", None)
                message["is_liked" if good else "is_disliked"] = True
                message.pop("dislike_type", None)
            for feedback in message.get("feedback", []):
                if feedback.get("rating") and (feedback["rating"] > 0) != good:
                    feedback["rating"] = 1 if good else -1
                    feedback.pop("reasons", None)
                    feedback.pop("correction", None)
        written.write(json.dumps(conversation, ensure_ascii=False) + "\n")
