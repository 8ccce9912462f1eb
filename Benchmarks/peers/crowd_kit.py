"""crowd-kit on the same votes, for Benchmarks/trust.

crowd_kit.py speed VOTES.csv          seconds and CPU seconds of 100 iterations of Dawid-Skene, nothing else
crowd_kit.py accuracy DATA OUT.json   accuracy of every aggregator on the sets with gold
"""

import json
import pathlib
import sys
import time
import warnings

import pandas
from crowdkit.aggregation import (
    GLAD, KOS, MACE, MMSR, DawidSkene, MajorityVote, OneCoinDawidSkene, Wawa, ZeroBasedSkill,
)

warnings.filterwarnings("ignore")


def speed(votes):
    frame = pandas.read_csv(votes).rename(columns={"user": "worker", "item": "task"})
    # A tolerance that is never met, so that all iterations are done.
    model = DawidSkene(n_iter=100, tol=-1e9)
    start, cpu = time.perf_counter(), time.process_time()
    model.fit(frame)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    assert len(model.loss_history_) == 100
    print(f"{seconds:.4f} {cpu:.4f}")


def accuracy(data, out):
    found = {}
    for name in ["jn-product", "face_sentiment_identification"]:
        folder = pathlib.Path(data) / "votes" / name
        frame = pandas.read_csv(folder / "answer.csv", dtype=str).rename(columns={"question": "task", "answer": "label"})
        truth = pandas.read_csv(folder / "truth.csv", dtype=str).set_index("question")["truth"]
        # KOS wants two classes.
        methods = [MajorityVote, Wawa, ZeroBasedSkill, DawidSkene, OneCoinDawidSkene, GLAD, MACE, MMSR]
        if frame["label"].nunique() == 2:
            methods.append(KOS)
        found[name] = {}
        for method in methods:
            start = time.perf_counter()
            try:
                labels = method().fit_predict(frame)
            except Exception as error:  # a peer that fails is named and left out
                print(f"{name}: {method.__name__} failed: {error}", file=sys.stderr)
                continue
            found[name][method.__name__] = float((labels.reindex(truth.index) == truth).mean())
            print(f"{name}: {method.__name__} {found[name][method.__name__]:.4f} in {time.perf_counter() - start:.1f} s", file=sys.stderr)
    pathlib.Path(out).write_text(json.dumps(found))


if sys.argv[1] == "speed":
    speed(sys.argv[2])
else:
    accuracy(sys.argv[2], sys.argv[3])
