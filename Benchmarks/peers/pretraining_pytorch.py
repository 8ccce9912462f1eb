"""Bits per byte of a Llama of the same shape, pre-trained in plain PyTorch with the same tokens and as many steps as `Scripts/make-base` had.

  python pretraining_pytorch.py MODEL STEPS ROWS RATE FILE.jsonl [FILE.jsonl ...]

MODEL is a folder that `loam train pretrain --data FILE ...` wrote: its config.json gives the shape, its tokenizer.json the tokens. What is
learned and what is held out are the same dialogues (see kneser_ney.py). The usual plain recipe: shuffled dialogues one after the other, cut
into rows of the context's length with no mask between them, AdamW (0.9, 0.95, decay 0.1 on matrices but embeddings), 50 steps of warm-up, a
cosine down to a tenth, gradients clipped at 1. Only the text and end of every turn are predicted. Needs torch and tokenizers; THREADS=2,
SEED=1, DTYPE=bfloat16 (autocast; float32 on machines without it). Prints one line of JSON.
"""

import json
import math
import os
import pathlib
import sys
import time

import torch
from tokenizers import Tokenizer
from torch import nn
from torch.nn import functional as F

folder, steps, rows, rate = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
shape = json.loads((folder / "config.json").read_text())
tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
person, bot, end = (tokenizer.token_to_id(t) for t in ("<|person|>", "<|bot|>", "<|end|>"))
context, width, heads = shape["max_position_embeddings"], shape["hidden_size"], shape["num_attention_heads"]
torch.set_num_threads(int(os.environ.get("THREADS", 2)))
torch.manual_seed(int(os.environ.get("SEED", 1)))

dialogues = []
for file in sys.argv[5:]:
    for line in open(file, encoding="utf-8"):
        if line.strip():
            record = json.loads(line)
            if record.get("status") != "Rejected" and len(record["turns"]) >= 2:
                dialogues.append(record["turns"])


def tokens(dialogue):
    """Ids, whether each is predicted, and the bytes of what is."""
    ids, wanted, count = [], [], 0
    for place, text in enumerate(dialogue):
        if text.strip():
            own = tokenizer.encode(text, add_special_tokens=False).ids
            ids += [bot if place % 2 else person] + own + [end]
            wanted += [False] + [True] * (len(own) + 1)
            count += len(text.encode()) + 1
    return ids, wanted, count


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        inner = shape["intermediate_size"]
        self.qkv, self.out = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width, bias=False)
        self.gate, self.up = (nn.Linear(width, inner, bias=False) for _ in range(2))
        self.down = nn.Linear(inner, width, bias=False)
        self.before, self.between = nn.RMSNorm(width, eps=1e-5), nn.RMSNorm(width, eps=1e-5)

    def forward(self, x, cos, sin):
        b, t, _ = x.shape
        q, k, v = self.qkv(self.before(x)).view(b, t, 3, heads, -1).permute(2, 0, 3, 1, 4)

        def turned(a):
            first, second = a.chunk(2, -1)
            return a * cos + torch.cat((-second, first), -1) * sin

        mixed = F.scaled_dot_product_attention(turned(q), turned(k), v, is_causal=True)
        x = x + self.out(mixed.transpose(1, 2).reshape(b, t, width))
        y = self.between(x)
        return x + self.down(F.silu(self.gate(y)) * self.up(y))


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(shape["vocab_size"], width)
        self.layers = nn.ModuleList(Layer() for _ in range(shape["num_hidden_layers"]))
        self.norm = nn.RMSNorm(width, eps=1e-5)
        for parameter in self.parameters():
            if parameter.dim() == 2:
                nn.init.normal_(parameter, std=0.02)
        half = width // heads // 2
        angles = torch.outer(torch.arange(context), 10_000.0 ** (-torch.arange(half) / half)).repeat(1, 2)
        self.cos, self.sin = angles.cos(), angles.sin()

    def loss(self, ids, wanted, reduction="mean"):
        """Of what is predicted, in nats."""
        x = self.embed(ids[:, :-1])
        t = x.shape[1]
        for layer in self.layers:
            x = layer(x, self.cos[:t], self.sin[:t])
        mask = wanted[:, 1:]
        return F.cross_entropy(F.linear(self.norm(x)[mask], self.embed.weight), ids[:, 1:][mask], reduction=reduction)


learned = [tokens(d)[:2] for i, d in enumerate(dialogues) if i % 50 != 49]
held = [tokens(d) for i, d in enumerate(dialogues) if i % 50 == 49]
model = Model()
matrices = [p for n, p in model.named_parameters() if p.dim() == 2 and "embed" not in n]
others = [p for n, p in model.named_parameters() if p.dim() != 2 or "embed" in n]
optimizer = torch.optim.AdamW(
    [{"params": matrices, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}], betas=(0.9, 0.95), fused=True)


def batches():
    ids, wanted = [], []
    while True:
        for place in torch.randperm(len(learned)).tolist():
            ids += learned[place][0]
            wanted += learned[place][1]
            while len(ids) >= rows * context:
                yield tuple(torch.tensor(x[: rows * context]).view(rows, context) for x in (ids, wanted))
                del ids[: rows * context], wanted[: rows * context]


began, source = time.time(), batches()
for step in range(steps):
    warm = min(50, steps // 10 + 1)
    falling = 0.1 + 0.45 * (1 + math.cos(math.pi * max(0, step - warm) / max(1, steps - warm)))
    for group in optimizer.param_groups:
        group["lr"] = rate * min((step + 1) / warm, falling if step >= warm else 1)
    optimizer.zero_grad()
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=os.environ.get("DTYPE", "bfloat16") == "bfloat16"):
        loss = model.loss(*next(source))
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1)
    optimizer.step()
    if step % 100 == 99:
        speed = (step + 1) * rows * context / (time.time() - began)
        print(f"step {step + 1}  loss {loss.item():.3f}  {speed:.0f} tokens/s", file=sys.stderr, flush=True)
seconds = time.time() - began

nats, count, size = 0.0, 0, 0
model.eval()
with torch.no_grad():
    for ids, wanted, own in held:
        size += own
        # Pieces of the context's length; each begins with the last token of the one before.
        for start in range(0, len(ids) - 1, context - 1):
            piece, mask = torch.tensor([ids[start : start + context]]), torch.tensor([wanted[start : start + context]])
            if mask[:, 1:].any():
                nats += model.loss(piece, mask, reduction="sum").item()
                count += int(mask[:, 1:].sum())
print(
    json.dumps(
        {
            "parameters": sum(p.numel() for p in model.parameters()), "steps": steps, "seconds": round(seconds),
            "tokens_per_second": round(steps * rows * context / seconds), "held_out_tokens": count, "bytes": size,
            "perplexity": round(math.exp(nats / count), 3), "bits_per_byte": round(nats / math.log(2) / size, 4),
        }))
