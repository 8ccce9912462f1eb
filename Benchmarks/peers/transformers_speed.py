"""Tokens per second of transformers in bfloat16 on a model folder: python transformers_speed.py FOLDER PROMPT NEW ROWS THREADS

The same work as `loam bench`: a prompt in one pass, then greedy tokens one by one with the KV cache. Medians of three runs after
one to warm up, as JSON.
"""
import json
import statistics
import sys
import time

import torch
from transformers import AutoModelForCausalLM

folder, prompt, new, rows, threads = sys.argv[1], *map(int, sys.argv[2:6])
torch.set_num_threads(threads)
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16).eval()
ids = torch.tensor([(i * 7919 + 13) % model.config.vocab_size for i in range(rows * prompt)]).reshape(rows, prompt)
reading, writing = [], []
with torch.inference_mode():
    for run in range(4):
        start = time.perf_counter()
        out = model(ids, use_cache=True, logits_to_keep=1)
        middle = time.perf_counter()
        for _ in range(new):
            out = model(out.logits[:, -1:].argmax(-1), past_key_values=out.past_key_values, use_cache=True)
        end = time.perf_counter()
        if run:
            reading.append(rows * prompt / (middle - start))
            writing.append(rows * new / (end - middle))
print(json.dumps({"prompt_tokens_per_second": statistics.median(reading), "tokens_per_second": statistics.median(writing)}))
