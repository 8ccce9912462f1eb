"""Encoding, decoding and reading tokenizers: Hugging Face tokenizers on one thread against ours, in one run.

    python3 -P Benchmarks/peers/tokenizer_speed.py [WORK_FOLDER] [TEXT…]

Trains tokenizers of published kinds and sizes on a made-up text (or on the texts given), writes them to the folder, runs
the `TokenizerBench` test there (LOAM_TOKENIZER_BENCH, with an optimised room), and prints CPU seconds of both with their
ratio. Ids must be equal in number.
"""

import os
import pathlib
import random
import subprocess
import sys
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"
from tokenizers import Regex, Tokenizer, decoders as D, models, normalizers as N, pre_tokenizers as P, trainers

root = pathlib.Path(__file__).resolve().parents[2]
work = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "/tmp/loam-bench-tokenizers")
work.mkdir(parents=True, exist_ok=True)
LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
O200K = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)

rng = random.Random(3)
parts = "ba de fi go lu ma ne pi ro su ta ve wi xo ya zu ka le mi no the and ing er ly est re un con pro sch tion".split()
words = ["".join(rng.choice(parts) for _ in range(rng.randint(1, 4))) for _ in range(30_000)]
weights = [1 / (n + 3) for n in range(len(words))]


def made(size, lead=""):
    lines, total = [], 0
    while total < size:
        line = " ".join(rng.choices(words, weights, k=rng.randint(4, 14)))
        if rng.random() < 0.4:
            line = line.capitalize() + rng.choice([".", "!", "?", "...", ", I'd say.", " It's 2024!"])
        lines.append(line)
        total += len(line) + 1
    return lines


def han(size):
    """Lines without spaces, as Chinese is written."""
    common = [chr(0x4E00 + rng.randrange(4000)) for _ in range(1500)]
    pairs = ["".join(rng.choices(common, k=rng.randint(1, 3))) for _ in range(6000)]
    shares = [1 / (n + 3) for n in range(len(pairs))]
    return ["".join(rng.choices(pairs, shares, k=rng.randint(8, 30))) + "。" for _ in range(size // 110)]


texts = {}
if len(sys.argv) > 2:
    for name in sys.argv[2:]:
        texts[pathlib.Path(name).stem] = [line for line in pathlib.Path(name).read_text().splitlines() if line]
else:
    texts = {"latin": made(4_000_000), "han": han(1_000_000)}
for name, lines in texts.items():
    (work / f"{name}.txt").write_text("\n".join(lines) + "\n")
corpus = [line for lines in texts.values() for line in lines]


def bpe(size, pre=None, norm=None, dec=None, model=None, first=(), alphabet=True):
    tokenizer = Tokenizer(model or models.BPE())
    if pre: tokenizer.pre_tokenizer = pre
    if norm: tokenizer.normalizer = norm
    tokenizer.decoder = dec or D.ByteLevel()
    tokenizer.train_from_iterator(
        corpus,
        trainers.BpeTrainer(
            vocab_size=size, show_progress=False, special_tokens=list(first), limit_alphabet=6000, max_token_length=16,
            initial_alphabet=P.ByteLevel.alphabet() if alphabet else [],
        ),
    )
    return tokenizer


def sequence(pattern):
    return P.Sequence([P.Split(Regex(pattern), "isolated"), P.ByteLevel(add_prefix_space=False, use_regex=False)])


def llama2():
    # Trained with words cut at spaces, used without, as the published ones are.
    tokenizer = bpe(
        32000, P.Metaspace(), None, D.Sequence([D.Replace("▁", " "), D.ByteFallback(), D.Fuse(), D.Strip(" ", 1, 0)]),
        models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True), ["<unk>", "<s>", "</s>"] + ["<0x%02X>" % b for b in range(256)], False,
    )
    tokenizer.pre_tokenizer = None
    tokenizer.normalizer = N.Sequence([N.Prepend("▁"), N.Replace(" ", "▁")])
    return tokenizer


def unigram():
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer, tokenizer.pre_tokenizer, tokenizer.decoder = N.NFKC(), P.Metaspace(), D.Metaspace()
    tokenizer.train_from_iterator(corpus[::4], trainers.UnigramTrainer(vocab_size=16000, show_progress=False, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>"))
    return tokenizer


def wordpiece():
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer, tokenizer.decoder = N.BertNormalizer(), P.BertPreTokenizer(), D.WordPiece()
    tokenizer.train_from_iterator(corpus, trainers.WordPieceTrainer(vocab_size=30522, show_progress=False, limit_alphabet=6000, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]))
    return tokenizer


KINDS = {
    "gpt2": lambda: bpe(50257, P.ByteLevel(add_prefix_space=False)),
    "llama3": lambda: bpe(50257, sequence(LLAMA3)),
    "qwen2": lambda: bpe(50257, sequence(LLAMA3.replace("{1,3}", "")), N.NFC()),
    "o200k": lambda: bpe(50257, sequence(O200K)),
    "llama2": llama2,
    "unigram": unigram,
    "bert": wordpiece,
}
for kind, make in KINDS.items():
    if not (work / f"{kind}.json").exists():
        make().save(str(work / f"{kind}.json"))

theirs, training = {}, {}
for name, lines in texts.items():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = P.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(vocab_size=8000, min_frequency=2, show_progress=False, initial_alphabet=P.ByteLevel.alphabet())
    start = time.process_time()
    tokenizer.train_from_iterator(lines, trainer)
    training[name] = time.process_time() - start
for file in sorted(work.glob("*.json")):
    start = time.process_time()
    tokenizer = Tokenizer.from_file(str(file))
    reading = time.process_time() - start
    for name, lines in texts.items():
        start = time.process_time()
        ids = [tokenizer.encode(line, add_special_tokens=False).ids for line in lines]
        encoding = time.process_time() - start
        start = time.process_time()
        for row in ids:
            tokenizer.decode(row)
        theirs[file.stem, name] = (sum(map(len, ids)), reading, encoding, time.process_time() - start)

build = os.environ.get("LOAM_BUILD", ".build/tokenizers")
test = ["swift", "test", "-c", "release", "--scratch-path", build, "--filter", "TokenizerBench"] + (["--skip-build"] if "LOAM_BUILD" in os.environ else [])
out = subprocess.run(
    test, cwd=root, env=dict(os.environ, LOAM_ONLY="Tokenizers", LOAM_TOKENIZER_BENCH=str(work)), capture_output=True, text=True
).stdout
print("CPU seconds of one thread, theirs / ours = ratio")
for line in out.splitlines():
    if line.startswith("train "):
        _, name, size, seconds = line.split()
        print(f"train    {name:6} {size} tokens {training[name]:.2f} / {float(seconds):.2f} s = {training[name] / float(seconds):.1f}")
    if line.startswith("bench "):
        _, kind, name, size, count, reading, encoding, decoding = line.split()
        tokens, r, e, d = theirs[kind, name]
        assert tokens == int(count), (kind, name, tokens, count)
        mb = int(size) / 1e6
        print(
            f"{kind:8} {name:6} read {r:.2f} / {float(reading):.2f} = {r / float(reading):.1f}   "
            f"encode {mb / e:.1f} / {mb / float(encoding):.1f} MB/s = {e / float(encoding):.1f}   "
            f"decode {mb / d:.1f} / {mb / float(decoding):.1f} MB/s = {d / float(decoding):.1f}"
        )
