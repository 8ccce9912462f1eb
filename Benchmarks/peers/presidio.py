#!/usr/bin/env python3
"""presidio-analyzer on labelled texts: the figures that `loam deidentify --score --json` gives, by the same rules.

    presidio.py FILE.json [--held-out] [--model en_core_web_sm] [--limit N]

Without --model no language model is loaded: patterns alone. Prints one JSON object.
"""

import argparse
import json
import re
import sys
import time

from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
from presidio_analyzer.nlp_engine import NlpEngineProvider, SpacyNlpEngine
import spacy

SOUGHT = {
    "PERSON": "PERSON", "EMAIL_ADDRESS": "EMAIL_ADDRESS", "PHONE_NUMBER": "PHONE_NUMBER", "URL": "URL", "DOMAIN_NAME": "URL",
    "IP_ADDRESS": "IP_ADDRESS", "CREDIT_CARD": "CREDIT_CARD", "US_SSN": "US_SSN", "IBAN_CODE": "IBAN_CODE", "IBAN": "IBAN_CODE",
    "US_DRIVER_LICENSE": "US_DRIVER_LICENSE", "US_PASSPORT": "US_PASSPORT", "ADDRESS": "STREET_ADDRESS",
    "STREET_ADDRESS": "STREET_ADDRESS", "LOCATION": "LOCATION", "DATE_OF_BIRTH": "DATE_OF_BIRTH", "USERNAME": "USERNAME",
    "AGE": "AGE", "POSTAL_CODE": "POSTAL_CODE",
}
# Presidio calls addresses LOCATION and birthdays DATE_TIME.
EQUIVALENT = {
    "LOCATION": {"LOCATION"}, "STREET_ADDRESS": {"LOCATION"}, "POSTAL_CODE": {"LOCATION"}, "DATE_OF_BIRTH": {"DATE_TIME"},
}
NAMES = {"PERSON", "LOCATION"}


class Blank(SpacyNlpEngine):
    """Words without a model: what the pattern recognizers need."""

    def __init__(self):
        super().__init__(models=[{"lang_code": "en", "model_name": "blank"}])
        self.nlp = {"en": spacy.blank("en")}

    def load(self):
        pass


def held_out(template):
    value = 0xCBF29CE484222325
    for byte in re.sub(r"\{\{.*?\}\}", "{}", template).encode():
        value = ((value ^ byte) * 0x100000001B3) % 2**64
    return value % 5 == 4


def share(text, start, end, ranges):
    places = [i for i in range(start, min(end, len(text))) if not text[i].isspace()]
    if not places:
        return 0.0
    return sum(any(a <= i < b for a, b in ranges) for i in places) / len(places)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument("--model")
    parser.add_argument("--limit", type=int)
    arguments = parser.parse_args()
    texts = json.load(open(arguments.file))
    if arguments.held_out:
        texts = [t for t in texts if t.get("masked") and held_out(t["masked"])]
    texts = texts[: arguments.limit]
    if arguments.model:
        engine = NlpEngineProvider(nlp_configuration={
            "nlp_engine_name": "spacy", "models": [{"lang_code": "en", "model_name": arguments.model}]}).create_engine()
    else:
        engine = Blank()
    registry = RecognizerRegistry()
    registry.load_predefined_recognizers(languages=["en"], nlp_engine=engine)
    if not arguments.model:
        registry.remove_recognizer("SpacyRecognizer")
    analyzer = AnalyzerEngine(registry=registry, nlp_engine=engine)
    analyzer.analyze("Warm up, my number is 212-555-0187.", language="en")
    found = []
    start = time.perf_counter()
    for text in texts:
        found.append([r for r in analyzer.analyze(text["full_text"], language="en")])
    seconds = time.perf_counter() - start
    rows = {}
    alarms = removed_all = marked_all = 0
    for text, results in zip(texts, found):
        content = text["full_text"]
        ranges = [(r.start, r.end) for r in results]
        for span in text["spans"]:
            kind = SOUGHT.get(span["entity_type"])
            if not kind:
                continue
            row = rows.setdefault(kind, dict(marked=0, found=0, removed=0, findings=0, right=0))
            same = [(r.start, r.end) for r in results if r.entity_type in EQUIVALENT.get(kind, {kind})]
            row["marked"] += 1
            row["found"] += share(content, span["start_position"], span["end_position"], same) >= 0.5
            row["removed"] += share(content, span["start_position"], span["end_position"], ranges) == 1
        for r in results:
            kinds = {k for k, v in EQUIVALENT.items() if r.entity_type in v} | {r.entity_type}
            row = rows.setdefault(r.entity_type, dict(marked=0, found=0, removed=0, findings=0, right=0))
            marks = [(s["start_position"], s["end_position"]) for s in text["spans"]
                     if SOUGHT.get(s["entity_type"]) in kinds or (r.entity_type == "DATE_TIME" and s["entity_type"] == "DATE_TIME")]
            row["findings"] += 1
            row["right"] += share(content, r.start, r.end, marks) >= 0.5
            alarms += not any(s["start_position"] < r.end and r.start < s["end_position"] for s in text["spans"])

    def figures(parts):
        total = {k: sum(p[k] for p in parts) for k in ("marked", "found", "removed", "findings", "right")}
        r = total["found"] / max(1, total["marked"])
        p = total["right"] / max(1, total["findings"])
        total.update(recall=round(r, 4), precision=round(p, 4), f1=round(2 * p * r / max(1e-9, p + r), 4),
                     f2=round(5 * p * r / max(1e-9, 4 * p + r), 4))
        return total

    marked = {k: v for k, v in rows.items() if v["marked"]}
    answer = {"texts": len(texts), "textsPerSecond": round(len(texts) / seconds, 1),
              "rows": {k: figures([v]) for k, v in sorted(rows.items())}}
    answer["rows"]["patterns"] = figures([v for k, v in marked.items() if k not in NAMES])
    answer["rows"]["all"] = figures(list(marked.values()))
    total = answer["rows"]["all"]
    answer["leakRate"] = round(1 - total["removed"] / max(1, total["marked"]), 4)
    answer["alarmsPerHundred"] = round(100 * alarms / max(1, len(texts)), 2)
    json.dump(answer, sys.stdout)
    print()


if __name__ == "__main__":
    main()
