/// What becomes of findings that overlap.
///
/// The longer one names the whole (an address wins over the name in its street, a URL over the number in it), the surer one
/// among equals; the range is the union of both, because what either recognizer wanted gone must not stay.
enum ConflictRule {
    /// Candidates without overlaps, in order of their place. n log n.
    static func resolve(_ candidates: [Candidate]) -> [Candidate] {
        guard candidates.count > 1 else { return candidates }
        var result: [Candidate] = []
        var best = 0  // length of the part that gave the current union its name
        for candidate in candidates.sorted(by: isBefore) {
            let length = candidate.end - candidate.start
            guard let last = result.last, candidate.start < last.end else {
                result.append(candidate)
                best = length
                continue
            }
            var merged = last
            merged.end = max(last.end, candidate.end)
            if Set([last.entity, candidate.entity]) == [.streetAddress, .location] {
                // However many words the town's name has, it is part of the address.
                merged.entity = .streetAddress
                merged.score = max(last.score, candidate.score)
                best = max(best, length)
            } else if (length, candidate.score) > (best, last.score) {
                merged.entity = candidate.entity
                merged.score = candidate.score
                best = length
            }
            result[result.count - 1] = merged
        }
        return result
    }

    private static func isBefore(_ a: Candidate, _ b: Candidate) -> Bool {
        if a.start != b.start { return a.start < b.start }
        if a.end != b.end { return a.end > b.end }
        if a.score != b.score { return a.score > b.score }
        return a.entity < b.entity
    }
}
