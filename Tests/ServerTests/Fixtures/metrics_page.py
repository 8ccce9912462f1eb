"""Reads a metrics page from standard input with Prometheus' own parser; prints each family's kind and name."""
import sys

from prometheus_client.parser import text_string_to_metric_families

families = list(text_string_to_metric_families(sys.stdin.read()))
assert len(families) == len({family.name for family in families}), "a family stands twice"
for family in families:
    assert family.documentation, family.name
    assert family.type in ("counter", "gauge", "histogram"), family
    assert family.samples, family.name
    seen = [(sample.name, tuple(sorted(sample.labels.items()))) for sample in family.samples]
    assert len(seen) == len(set(seen)), family.name
    if family.type == "histogram":
        buckets = [s for s in family.samples if s.name.endswith("_bucket")]
        counts = [s.value for s in buckets]
        assert counts == sorted(counts) and buckets[-1].labels["le"] == "+Inf", family.name
        total = [s.value for s in family.samples if s.name.endswith("_count")]
        assert total == [counts[-1]], family.name
    print(family.type, family.name)
