"""llama.cpp's own HTTP server out of the wheel of xllamacpp, until it is ended: python llama_server.py FILE PORT SLOTS CONTEXT THREADS

For machines where `llama-server` itself cannot be had. CONTEXT is that of one slot.
"""
import signal
import sys

import xllamacpp

file, port, slots, context, threads = sys.argv[1], *map(int, sys.argv[2:6])
params = xllamacpp.CommonParams()
params.model.path = file
params.model_alias = {"peer"}
params.port = port
params.n_parallel = slots
params.n_ctx = slots * context
params.kv_unified = False
params.n_threads_http = 96
params.cpuparams.n_threads = threads
params.cpuparams_batch.n_threads = threads
params.verbosity = 0
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
signal.pause()
