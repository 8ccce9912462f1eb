"""Bits per byte of an interpolated modified Kneser-Ney model (Chen and Goodman 1999) on the dialogues that pre-training held out.

  python kneser_ney.py TOKENIZER.json ORDER FILE.jsonl [FILE.jsonl ...]

Reads what `loam train pretrain --data FILE ...` reads, in the same order, leaves out what it leaves out (status Rejected, fewer than two
turns) and holds out the same dialogues (every fiftieth). It counts over the same tokens as the model and predicts the same ones: the text
and end of every turn, from the ORDER - 1 tokens before in the same dialogue; a role marker is context and never predicted. One turn's end
counts as a byte. Needs numpy and tokenizers; the vocabulary must fit 12 bits a token for ORDER 5. Prints one line of JSON.
"""

import json
import sys

import numpy as np
from tokenizers import Tokenizer

tokenizer_file, order, files = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
tokenizer = Tokenizer.from_file(tokenizer_file)
person, bot, end = (tokenizer.token_to_id(t) for t in ("<|person|>", "<|bot|>", "<|end|>"))
vocabulary = tokenizer.get_vocab_size()
bits = max(1, (vocabulary - 1).bit_length())
assert bits * order <= 63, f"{vocabulary} tokens do not fit an order of {order}"

dialogues = []
for file in files:
    for line in open(file, encoding="utf-8"):
        if not line.strip():
            continue
        record = json.loads(line)
        if record.get("status") == "Rejected" or len(record["turns"]) < 2:
            continue
        dialogues.append(record["turns"])
held = [d for i, d in enumerate(dialogues) if i % 50 == 49]
learned = [d for i, d in enumerate(dialogues) if i % 50 != 49]


def streams(dialogues):
    """Token ids of each dialogue, whether each is predicted, and the bytes of what is."""
    count = 0
    for start in range(0, len(dialogues), 512):
        part = dialogues[start : start + 512]
        texts = [t for d in part for t in d]
        encoded = iter(tokenizer.encode_batch(texts, add_special_tokens=False))
        for dialogue in part:
            ids, wanted = [], []
            for place, text in enumerate(dialogue):
                tokens = next(encoded).ids
                if not text.strip():
                    continue
                count += len(text.encode()) + 1
                ids += [bot if place % 2 else person] + tokens + [end]
                wanted += [False] + [True] * (len(tokens) + 1)
            yield ids, wanted
    streams.bytes = count


# A dialogue begins after ORDER - 1 pads (id 0), so that its first tokens have a history too.
def flat(dialogues):
    ids, wanted = [], []
    for own, predicted in streams(dialogues):
        ids += [0] * (order - 1) + own
        wanted += [False] * (order - 1) + predicted
    return np.array(ids, dtype=np.int64), np.array(wanted)


def grams(ids, n):
    """Codes of the n-grams that end at each place from n - 1 on."""
    code = np.zeros(len(ids) - n + 1, dtype=np.int64)
    for k in range(n):
        code = (code << bits) | ids[k : len(ids) - n + 1 + k]
    return code


ids, wanted = flat(learned)
train_tokens = int(wanted.sum())
# Highest order: how often; below: after how many different tokens (continuation counts). Only predicted tokens count.
tables = {}
for n in range(order, 0, -1):
    if n == order:
        codes, counts = np.unique(grams(ids, n)[wanted[n - 1 :]], return_counts=True)
    else:
        above = tables[n + 1][0]
        codes, counts = np.unique(above & ((1 << (bits * n)) - 1), return_counts=True)
    tables[n] = (codes, counts.astype(np.float64))
discounts, histories = {}, {}
for n, (codes, counts) in tables.items():
    of = [float((counts == k).sum()) for k in range(1, 5)]
    y = of[0] / (of[0] + 2 * of[1])
    discounts[n] = [0.0] + [max(0.0, k + 1 - (k + 2) * y * of[k + 1] / max(of[k], 1)) for k in range(3)]
    keys, places = np.unique(codes >> bits, return_inverse=True)
    total = np.bincount(places, counts)
    d = np.array(discounts[n])
    spared = np.bincount(places, d[np.minimum(counts, 3).astype(int)])
    histories[n] = (keys, total, spared)


def look(keys, wanted_keys):
    place = np.minimum(np.searchsorted(keys, wanted_keys), len(keys) - 1)
    return place, keys[place] == wanted_keys


ids, wanted = flat(held)
held_bytes = streams.bytes
targets = np.flatnonzero(wanted)
p = np.full(len(targets), 1.0 / vocabulary)
for n in range(1, order + 1):
    window = np.zeros(len(targets), dtype=np.int64)
    for k in range(n - 1, -1, -1):
        window = (window << bits) | ids[targets - k]
    codes, counts = tables[n]
    at, found = look(codes, window)
    count = np.where(found, counts[at], 0)
    discount = np.array(discounts[n])[np.minimum(count, 3).astype(int)]
    keys, total, spared = histories[n]
    at, known = look(keys, window >> bits)
    seen = np.where(known, total[at], 1)
    p = np.where(known, (np.maximum(count - discount, 0) + spared[at] * p) / seen, p)
print(
    json.dumps(
        {
            "order": order,
            "vocabulary": vocabulary,
            "learned_tokens": train_tokens,
            "held_out_tokens": len(targets),
            "held_out_bytes": held_bytes,
            "perplexity_per_token": float(np.exp(-np.log(p).mean())),
            "bits_per_byte": float(-np.log2(p).sum() / held_bytes),
        }
    )
)
