"""Training speed of plain PyTorch: eager, autocast to bfloat16, AdamW, on the shapes that Loam is measured on.

  python training_pytorch.py SHAPE THREADS [STEPS] [--lengths FILE]

SHAPE is small (8 layers, 512 wide, 8 heads, 8,192 tokens of vocabulary; 16 x 256 tokens a step) or gpt2-124m (12 layers, 768 wide,
50,257 tokens; 4 x 256). With --lengths, a JSON list of document lengths, each step takes the next 64 documents padded to the longest,
as a plain training loop does. Prints one line of JSON: tokens of documents per second (padding does not count), median over the steps.
"""

import json
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

shape, threads = sys.argv[1], int(sys.argv[2])
rest = [a for a in sys.argv[3:] if not a.startswith("--")]
lengths_file = sys.argv[sys.argv.index("--lengths") + 1] if "--lengths" in sys.argv else None
steps = int(rest[0]) if rest and rest[0].isdigit() else 5
torch.set_num_threads(threads)
torch.manual_seed(1)


class Norm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return F.rms_norm(x, (x.shape[-1],), self.weight, 1e-5)


class LlamaLayer(nn.Module):
    def __init__(self, width, inner, heads):
        super().__init__()
        self.heads = heads
        self.attention_norm, self.feed_norm = Norm(width), Norm(width)
        self.q, self.k, self.v, self.o = (nn.Linear(width, width, bias=False) for _ in range(4))
        self.gate, self.up = nn.Linear(width, inner, bias=False), nn.Linear(width, inner, bias=False)
        self.down = nn.Linear(inner, width, bias=False)

    def forward(self, x, cos, sin):
        batch, length, width = x.shape
        y = self.attention_norm(x)
        q, k, v = (m(y).view(batch, length, self.heads, -1).transpose(1, 2) for m in (self.q, self.k, self.v))

        def rotate(t):
            half = t.shape[-1] // 2
            return t * cos + torch.cat((-t[..., half:], t[..., :half]), -1) * sin

        mixed = F.scaled_dot_product_attention(rotate(q), rotate(k), v, is_causal=True)
        x = x + self.o(mixed.transpose(1, 2).reshape(batch, length, width))
        y = self.feed_norm(x)
        return x + self.down(F.silu(self.gate(y)) * self.up(y))


class Llama(nn.Module):
    def __init__(self, vocabulary, width, layers, heads):
        super().__init__()
        inner = (width * 8 // 3 + 31) // 32 * 32
        self.embedding = nn.Embedding(vocabulary, width)
        self.layers = nn.ModuleList(LlamaLayer(width, inner, heads) for _ in range(layers))
        self.norm = Norm(width)
        size = width // heads
        angles = torch.arange(1024)[:, None] / 10000 ** (torch.arange(0, size, 2) / size)
        angles = torch.cat((angles, angles), -1)
        self.register_buffer("cos", angles.cos().bfloat16())
        self.register_buffer("sin", angles.sin().bfloat16())

    def forward(self, ids):
        x = self.embedding(ids)
        for layer in self.layers:
            x = layer(x, self.cos[: ids.shape[1]], self.sin[: ids.shape[1]])
        return F.linear(self.norm(x), self.embedding.weight)


class GPTLayer(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mix, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        batch, length, width = x.shape
        q, k, v = (
            t.view(batch, length, self.heads, -1).transpose(1, 2) for t in self.mix(self.first(x)).split(width, -1))
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(mixed.transpose(1, 2).reshape(batch, length, width))
        return x + self.down(F.gelu(self.up(self.second(x)), approximate="tanh"))


class GPT(nn.Module):
    def __init__(self, vocabulary, width, layers, heads):
        super().__init__()
        self.embedding, self.places = nn.Embedding(vocabulary, width), nn.Embedding(1024, width)
        self.layers = nn.ModuleList(GPTLayer(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(self, ids):
        x = self.embedding(ids) + self.places(torch.arange(ids.shape[1]))
        for layer in self.layers:
            x = layer(x)
        return F.linear(self.norm(x), self.embedding.weight)


if shape == "small":
    vocabulary, rows, length = 8192, 16, 256
    model = Llama(vocabulary, 512, 8, 8)
else:
    vocabulary, rows, length = 50257, 4, 256
    model = GPT(vocabulary, 768, 12, 12)
for parameter in model.parameters():
    if parameter.dim() > 1:
        nn.init.normal_(parameter, std=0.02)
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4, betas=(0.9, 0.95), weight_decay=0.1)
lengths = json.load(open(lengths_file)) if lengths_file else None
place = 0


def batch():
    global place
    if lengths is None:
        ids = torch.randint(0, vocabulary, (rows, length))
        return ids, ids, rows * length
    part = [min(n, length) for n in (lengths[(place + i) % len(lengths)] for i in range(64))]
    place += 64
    ids = torch.zeros(64, max(part), dtype=torch.long)
    targets = torch.full_like(ids, -100)
    for row, n in enumerate(part):
        ids[row, :n] = torch.randint(0, vocabulary, (n,))
        targets[row, :n] = ids[row, :n]
    return ids, targets, sum(part)


speeds, processor = [], []
for step in range(steps + 2):
    ids, targets, tokens = batch()
    began, used = time.perf_counter(), time.process_time()
    optimizer.zero_grad(set_to_none=True)
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(ids)
        loss = F.cross_entropy(logits[:, :-1].reshape(-1, vocabulary).float(), targets[:, 1:].reshape(-1))
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    loss.item()
    if step >= 2:
        speeds.append(tokens / (time.perf_counter() - began))
        processor.append(tokens / (time.process_time() - used))
print(json.dumps(dict(
    peer="pytorch", version=torch.__version__, shape=shape, tokens_per_second=sorted(speeds)[len(speeds) // 2],
    tokens_per_processor_second=sorted(processor)[len(processor) // 2])))
