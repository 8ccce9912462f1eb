"""Writes models of random weights, shaped like ones that people run: python random_models.py FOLDER

Speed does not depend on what the weights are. Needs torch and transformers.
"""
import sys
from pathlib import Path

import torch
from transformers import GPT2Config, GPT2LMHeadModel, Qwen2Config, Qwen2ForCausalLM

shapes = {
    "qwen2-0.5b": lambda: Qwen2ForCausalLM(Qwen2Config(
        vocab_size=151936, hidden_size=896, intermediate_size=4864, num_hidden_layers=24, num_attention_heads=14,
        num_key_value_heads=2, max_position_embeddings=4096, tie_word_embeddings=True)),
    "gpt2-124m": lambda: GPT2LMHeadModel(GPT2Config()),
}
for name, make in shapes.items():
    folder = Path(sys.argv[1]) / name
    if (folder / "config.json").exists():
        continue
    torch.manual_seed(1)
    make().to(torch.bfloat16).save_pretrained(folder)
    print(folder)
