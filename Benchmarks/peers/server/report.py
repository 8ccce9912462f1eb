"""Figures as people read them, and as the JSON file keeps them."""
import json


def quantile(values, share):
    """Of values in order."""
    return values[min(len(values) - 1, int(share * len(values)))] if values else float("nan")


def ratio(mine, other):
    return f"{mine / other:.2f}" if other else "-"


def faults(errors):
    return " ".join(f"{count} × {name}" for name, count in errors.items()) or "0"


def table(title, rows):
    print(f"\n**{title}**\n")
    for index, row in enumerate(rows):
        print("| " + " | ".join(row) + " |")
        if index == 0:
            print("| " + " | ".join(["---"] * len(row)) + " |")
    print()


def goal(is_met, text):
    print(f"{'met' if is_met else 'NOT MET'}: {text}")
    return {"met": bool(is_met), "goal": text}


def kept(out):
    """What the file holds already."""
    return json.loads(out.read_text()) if out.exists() else {}


def record(out, part, figures):
    """One part's figures; the others stay as they are in the file now. Written whole or not at all."""
    out.parent.mkdir(parents=True, exist_ok=True)
    parts = kept(out) | {part: figures}
    draft = out.with_name(out.name + ".part")
    draft.write_text(json.dumps(parts, indent=1) + "\n")
    draft.replace(out)
