"""GB/s at which this machine's memory can be read by libtorch's own maximum of a large tensor: python read_bandwidth.py THREADS"""
import sys
import time

import torch

torch.set_num_threads(int(sys.argv[1]))
x = torch.ones(1 << 28, dtype=torch.int32)
best = 0.0
for _ in range(6):
    start = time.perf_counter()
    x.max()
    best = max(best, x.numel() * 4 / (time.perf_counter() - start) / 1e9)
print(f"{best:.1f}")
