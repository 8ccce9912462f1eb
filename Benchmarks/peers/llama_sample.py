"""Writes a small Llama model folder (Models/loam-sample) as a GGUF file of 16-bit matrices: python llama_sample.py FOLDER FILE

The very weights, tokenizer and chat template, so that llama.cpp's server does the same work on the same text. Needs numpy and gguf.
"""
import json
import sys
from pathlib import Path

import gguf
import numpy as np

folder, file = Path(sys.argv[1]), Path(sys.argv[2])
config = json.loads((folder / "config.json").read_text())
words = json.loads((folder / "tokenizer.json").read_text())
template = json.loads((folder / "tokenizer_config.json").read_text())["chat_template"]
raw = (folder / "model.safetensors").read_bytes()
length = int.from_bytes(raw[:8], "little")
header = json.loads(raw[8 : 8 + length])
layers, heads, groups = config["num_hidden_layers"], config["num_attention_heads"], config["num_key_value_heads"]
if config["model_type"] != "llama" or not config["tie_word_embeddings"] or words["model"]["type"] != "BPE":
    raise SystemExit("llama_sample.py: only for models like Models/loam-sample")


def tensor(name):
    about = header[name]
    if about["dtype"] != "F32":
        raise SystemExit(f"llama_sample.py: {name} is {about['dtype']}, not F32")
    start, end = (8 + length + offset for offset in about["data_offsets"])
    return np.frombuffer(raw[start:end], dtype=np.float32).reshape(about["shape"])


def interleaved(matrix, count):
    """llama.cpp turns neighbouring numbers against each other, Hugging Face the two halves of a head."""
    return matrix.reshape(count, 2, matrix.shape[0] // count // 2, -1).swapaxes(1, 2).reshape(matrix.shape)


file.parent.mkdir(parents=True, exist_ok=True)
draft = file.with_suffix(".part")
writer = gguf.GGUFWriter(draft, "llama")
writer.add_context_length(config["max_position_embeddings"])
writer.add_embedding_length(config["hidden_size"])
writer.add_feed_forward_length(config["intermediate_size"])
writer.add_block_count(layers)
writer.add_head_count(heads)
writer.add_head_count_kv(groups)
writer.add_key_length(config["head_dim"])
writer.add_value_length(config["head_dim"])
writer.add_rope_dimension_count(config["head_dim"])
writer.add_rope_freq_base(config["rope_theta"])
writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
writer.add_vocab_size(config["vocab_size"])

# A model may have more rows than its tokenizer has tokens.
special = {token["id"]: token["content"] for token in words["added_tokens"]}
spelled = {id: text for text, id in words["model"]["vocab"].items()} | special
writer.add_tokenizer_model("gpt2")
writer.add_tokenizer_pre("gpt-2")
writer.add_token_list([spelled.get(id, f"[UNUSED{id}]") for id in range(config["vocab_size"])])
writer.add_token_types([
    gguf.TokenType.CONTROL if id in special else gguf.TokenType.NORMAL if id in spelled else gguf.TokenType.UNUSED
    for id in range(config["vocab_size"])
])
writer.add_token_merges([merge if isinstance(merge, str) else " ".join(merge) for merge in words["model"]["merges"]])
writer.add_eos_token_id(config["eos_token_id"])
writer.add_pad_token_id(config["pad_token_id"])
writer.add_add_bos_token(False)
writer.add_chat_template(template)

writer.add_tensor("token_embd.weight", tensor("model.embed_tokens.weight").astype(np.float16))
writer.add_tensor("output_norm.weight", tensor("model.norm.weight"))
for layer in range(layers):
    there, here = f"model.layers.{layer}.", f"blk.{layer}."
    for theirs, ours in (("input_layernorm", "attn_norm"), ("post_attention_layernorm", "ffn_norm")):
        writer.add_tensor(f"{here}{ours}.weight", tensor(f"{there}{theirs}.weight"))
    for theirs, ours in (
        ("self_attn.q_proj", "attn_q"), ("self_attn.k_proj", "attn_k"), ("self_attn.v_proj", "attn_v"),
        ("self_attn.o_proj", "attn_output"), ("mlp.gate_proj", "ffn_gate"), ("mlp.up_proj", "ffn_up"),
        ("mlp.down_proj", "ffn_down"),
    ):
        matrix = tensor(f"{there}{theirs}.weight")
        if ours in ("attn_q", "attn_k"):
            matrix = interleaved(matrix, heads if ours == "attn_q" else groups)
        writer.add_tensor(f"{here}{ours}.weight", matrix.astype(np.float16))
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
draft.rename(file)
