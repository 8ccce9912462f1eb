"""Gradient boosting on the frozen encoder's features that methods-bench wrote: scores of each vote by a model that saw no vote of
its person, in the same folds. Usage: gradient_boosting.py FOLDER"""
import json
import pathlib
import sys

import numpy
from sklearn.ensemble import HistGradientBoostingClassifier

folder = pathlib.Path(sys.argv[1])
data = json.loads((folder / "reward-features.json").read_text())
labels = numpy.array(data["labels"], dtype=int)
frozen = numpy.array(data["frozen"], dtype=numpy.float32)
following = numpy.array(data["next"], dtype=numpy.float32)
for name, features in [
    ("frozen features, gradient boosting", frozen),
    ("frozen features, gradient boosting, next message", numpy.hstack([frozen, following])),
]:
    target = folder / ("reward-" + name.replace(", ", "-").replace(" ", "-") + ".scores.json")
    if target.exists():
        continue
    scores = numpy.zeros(len(labels))
    for test in data["folds"]:
        train = numpy.setdiff1d(numpy.arange(len(labels)), test)
        model = HistGradientBoostingClassifier(
            learning_rate=0.05, max_iter=200, max_leaf_nodes=15, l2_regularization=1.0, random_state=0)
        scores[test] = model.fit(features[train], labels[train]).decision_function(features[test])
    target.write_text(json.dumps({"name": name, "scores": scores.tolist()}))
