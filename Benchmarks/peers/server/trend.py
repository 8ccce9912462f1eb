"""Whether something grows: samples that have a time under "at"."""
import statistics


def slope(samples, key):
    """Least squares over the last two thirds, per hour."""
    points = [(s["at"], s[key]) for s in samples if s["at"] >= samples[-1]["at"] / 3]
    middle = statistics.mean(x for x, _ in points), statistics.mean(y for _, y in points)
    spread = sum((x - middle[0]) ** 2 for x, _ in points)
    return 3600 * sum((x - middle[0]) * (y - middle[1]) for x, y in points) / spread if spread else 0.0


def thirds(samples, keys):
    """Medians of the three thirds of the time; where no sample fell into one, the nearest counts."""
    length, medians = samples[-1]["at"] / 3, []
    for index in range(3):
        nearest = min(samples, key=lambda s: abs(s["at"] - (index + 0.5) * length))
        inside = [s for s in samples if index * length <= s["at"] <= (index + 1) * length] or [nearest]
        medians.append({key: statistics.median(s[key] for s in inside) for key in keys})
    return medians
