"""Writes models of random weights as GGUF files in several widths, shaped like those of random_models.py: python llama_models.py FOLDER

Speed does not depend on what the weights are. Needs numpy and gguf. Every matrix, the embedding too, is in the width of the file; norms and
biases are float32.
"""
import sys
from pathlib import Path

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Type, quants

widths = {"f16": Type.F16, "q8_0": Type.Q8_0, "q4_0": Type.Q4_0}


def qwen2(writer, matrix, vector):
    hidden, inner, layers, heads, groups, vocabulary = 896, 4864, 24, 14, 2, 151936
    size = hidden // heads
    writer.add_context_length(4096)
    writer.add_embedding_length(hidden)
    writer.add_feed_forward_length(inner)
    writer.add_block_count(layers)
    writer.add_head_count(heads)
    writer.add_head_count_kv(groups)
    writer.add_rope_freq_base(10000.0)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_vocab_size(vocabulary)
    matrix("token_embd.weight", vocabulary, hidden)
    for layer in range(layers):
        at = f"blk.{layer}."
        vector(at + "attn_norm.weight", hidden, 1)
        for name, rows in (("attn_q", heads * size), ("attn_k", groups * size), ("attn_v", groups * size)):
            matrix(at + name + ".weight", rows, hidden)
            vector(at + name + ".bias", rows)
        matrix(at + "attn_output.weight", hidden, heads * size)
        vector(at + "ffn_norm.weight", hidden, 1)
        matrix(at + "ffn_gate.weight", inner, hidden)
        matrix(at + "ffn_up.weight", inner, hidden)
        matrix(at + "ffn_down.weight", hidden, inner)
    vector("output_norm.weight", hidden, 1)


def gpt2(writer, matrix, vector):
    hidden, layers, heads, vocabulary, context = 768, 12, 12, 50257, 1024
    writer.add_context_length(context)
    writer.add_embedding_length(hidden)
    writer.add_feed_forward_length(4 * hidden)
    writer.add_block_count(layers)
    writer.add_head_count(heads)
    writer.add_layer_norm_eps(1e-5)
    writer.add_vocab_size(vocabulary)
    matrix("token_embd.weight", vocabulary, hidden)
    vector("position_embd.weight", (context, hidden))
    for layer in range(layers):
        at = f"blk.{layer}."
        for name in ("attn_norm", "ffn_norm"):
            vector(at + name + ".weight", hidden, 1)
            vector(at + name + ".bias", hidden)
        for name, rows, columns in (
            ("attn_qkv", 3 * hidden, hidden), ("attn_output", hidden, hidden), ("ffn_up", 4 * hidden, hidden),
            ("ffn_down", hidden, 4 * hidden),
        ):
            matrix(at + name + ".weight", rows, columns)
            vector(at + name + ".bias", rows)
    vector("output_norm.weight", hidden, 1)
    vector("output_norm.bias", hidden)


for name, family, make in (("qwen2-0.5b", "qwen2", qwen2), ("gpt2-124m", "gpt2", gpt2)):
    for width, kind in widths.items():
        path = Path(sys.argv[1]) / f"{name}-{width}.gguf"
        if path.exists():
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        random = np.random.default_rng(1)
        draft = path.with_suffix(".part")
        writer = gguf.GGUFWriter(draft, family)
        writer.add_tokenizer_model("none")

        def matrix(tensor, rows, columns):
            values = random.standard_normal((rows, columns), dtype=np.float32) * np.float32(0.02)
            writer.add_tensor(tensor, quants.quantize(values, kind), raw_dtype=kind)

        def vector(tensor, shape, value=0):
            writer.add_tensor(tensor, np.full(shape, value, dtype=np.float32))

        make(writer, matrix, vector)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        draft.rename(path)
        print(path)
