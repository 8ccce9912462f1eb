"""Training speed of TRL's SFTTrainer on the small shape: 8 layers, 512 wide, 8 heads, 8,192 tokens; 16 x 256 tokens a step, bfloat16.

  python training_trl.py THREADS [STEPS]
"""

import json
import os
import sys
import tempfile
import time

os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_VERBOSITY="error", HF_DATASETS_OFFLINE="1", WANDB_DISABLED="true")
import datasets
import torch
import transformers
import trl

threads = int(sys.argv[1])
steps = int(sys.argv[2]) if len(sys.argv) > 2 else 3
torch.set_num_threads(threads)
config = transformers.LlamaConfig(
    vocab_size=8192, hidden_size=512, intermediate_size=1376, num_hidden_layers=8, num_attention_heads=8,
    max_position_embeddings=1024, tie_word_embeddings=True, pad_token_id=0, bos_token_id=1, eos_token_id=2)
model = transformers.LlamaForCausalLM(config)
ids = torch.randint(3, 8192, (16 * (steps + 2), 256)).tolist()
data = datasets.Dataset.from_dict({"input_ids": ids})


class Clock(transformers.TrainerCallback):
    def __init__(self):
        self.times = []

    def on_step_begin(self, *_, **__):
        self.began = time.perf_counter()

    def on_step_end(self, *_, **__):
        self.times.append(time.perf_counter() - self.began)


# The trainer wants a tokenizer to pad with; one of two words will do.
from tokenizers import Tokenizer, models

words = transformers.PreTrainedTokenizerFast(
    tokenizer_object=Tokenizer(models.WordLevel({"<pad>": 0, "<s>": 1, "</s>": 2}, unk_token="<pad>")),
    pad_token="<pad>", bos_token="<s>", eos_token="</s>")
clock = Clock()
with tempfile.TemporaryDirectory() as place:
    trainer = trl.SFTTrainer(
        model=model, train_dataset=data, processing_class=words, callbacks=[clock],
        args=trl.SFTConfig(
            output_dir=place, per_device_train_batch_size=16, max_steps=steps + 2, bf16=True, use_cpu=True,
            gradient_checkpointing=False, report_to=[], save_strategy="no", logging_steps=1000, max_length=256,
            disable_tqdm=True, dataset_kwargs={"skip_prepare_dataset": True}))
    trainer.train()
times = sorted(clock.times[2:])
print(json.dumps(dict(peer="trl", version=trl.__version__, tokens_per_second=16 * 256 / times[len(times) // 2])))
