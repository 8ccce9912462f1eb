"""Tokens per second of llama.cpp on a GGUF file: python llama_speed.py FILE PROMPT NEW THREADS

The same work as `loam bench`: a prompt in one pass, then greedy tokens one by one. Medians of three runs after one to warm up, as JSON.
Needs numpy and llama-cpp-python.
"""
import ctypes
import json
import statistics
import sys
import time

import llama_cpp as llama
import numpy as np

file, prompt, new, threads = sys.argv[1], *map(int, sys.argv[2:5])
quiet = llama.llama_log_callback(lambda level, text, data: None)
llama.llama_log_set(quiet, ctypes.c_void_p(0))
llama.llama_backend_init()
model = llama.llama_model_load_from_file(file.encode(), llama.llama_model_default_params())
settings = llama.llama_context_default_params()
settings.n_ctx = settings.n_batch = settings.n_ubatch = 512
settings.n_threads = settings.n_threads_batch = threads
context = llama.llama_init_from_model(model, settings)
vocabulary = llama.llama_vocab_n_tokens(llama.llama_model_get_vocab(model))


def show(ids):
    tokens = (llama.llama_token * len(ids))(*ids)
    if llama.llama_decode(context, llama.llama_batch_get_one(tokens, len(ids))) != 0:
        raise SystemExit("llama_decode failed")
    return int(np.ctypeslib.as_array(llama.llama_get_logits_ith(context, -1), (vocabulary,)).argmax())


ids = [(i * 7919 + 13) % vocabulary for i in range(prompt)]
reading, writing = [], []
for run in range(4):
    llama.llama_memory_clear(llama.llama_get_memory(context), True)
    start = time.perf_counter()
    token = show(ids)
    middle = time.perf_counter()
    for _ in range(new):
        token = show([token])
    end = time.perf_counter()
    if run:
        reading.append(prompt / (middle - start))
        writing.append(new / (end - middle))
print(json.dumps({"prompt_tokens_per_second": statistics.median(reading), "tokens_per_second": statistics.median(writing)}))
