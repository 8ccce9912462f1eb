/// A pattern compiled to steps that a small machine follows: it tries choices in their order and comes back to the next
/// when one fails, as the regex engine of Hugging Face tokenizers does.
struct PatternProgram: Sendable {
    private enum Step: Sendable {
        case one(Int)
        /// As many characters of a set as there are, then fewer.
        case greedy(Int, least: Int, most: Int)
        case lazy(Int, least: Int)
        case possessive(Int, least: Int)
        /// Go on at the first, come back to the second.
        case fork(Int, Int)
        case jump(Int)
        /// The steps up to `end` must match here, or must not.
        case look(end: Int, isNegated: Bool)
        case done
    }

    private struct Choice {
        var step: Int
        var place: Int
        /// For a greedy run: give back characters down to here; −1 for a fork.
        var floor: Int
    }

    private var steps: [Step] = []
    private var sets: [ScalarSet] = []
    /// Characters that a match can begin with: by ASCII, and whether others can.
    private var starts = [Bool](repeating: false, count: 129)

    /// - Throws: `PatternParser.Fault` naming what is not supported.
    init(_ pattern: String) throws {
        let node = try PatternParser.parse(pattern)
        guard let first = Self.first(node) else {
            throw PatternParser.Fault(message: "can match nothing at all, which is not supported")
        }
        try compile(node)
        steps.append(.done)
        for value in 0..<128 { starts[value] = first.contains { $0.sealed().contains(UInt32(value)) } }
        starts[128] = true
    }

    /// The sets that a match can begin with; `nil` when it can be empty.
    private static func first(_ node: PatternParser.Node) -> [ScalarSet]? {
        switch node {
        case .set(let set): return [set]
        case .lookAhead: return nil
        case .choice(let branches):
            var result: [ScalarSet] = []
            for branch in branches {
                guard let sets = first(branch) else { return nil }
                result += sets
            }
            return result
        case .repetition(let body, let least, _, _): return least == 0 ? nil : first(body)
        case .sequence(let items):
            var result: [ScalarSet] = []
            for item in items {
                if let sets = first(item) { return result + sets }
                // One that must come was asked already; asking again would double the work with each nesting.
                if case .repetition(let body, let least, _, _) = item, least == 0, let sets = first(body) {
                    result += sets
                } else if case .lookAhead = item {
                    continue
                } else {
                    return nil
                }
            }
            return nil
        }
    }

    private mutating func index(_ set: ScalarSet) -> Int {
        if let index = sets.firstIndex(of: set) { return index }
        sets.append(set.sealed())
        return sets.count - 1
    }

    /// More parts than any published pattern has; counts inside counts multiply.
    private static let mostParts = 1 << 16
    private var partCount = 0

    private mutating func compile(_ node: PatternParser.Node) throws {
        partCount += 1
        guard partCount <= Self.mostParts else { throw PatternParser.Fault(message: "repeats too much") }
        switch node {
        case .set(let set): steps.append(.one(index(set)))
        case .sequence(let items): for item in items { try compile(item) }
        case .choice(let branches):
            var jumps: [Int] = []
            for (number, branch) in branches.enumerated() {
                let isLast = number == branches.count - 1
                let fork = steps.count
                if !isLast { steps.append(.fork(fork + 1, 0)) }
                try compile(branch)
                if !isLast {
                    jumps.append(steps.count)
                    steps.append(.jump(0))
                    steps[fork] = .fork(fork + 1, steps.count)
                }
            }
            for jump in jumps { steps[jump] = .jump(steps.count) }
        case .repetition(.set(let set), let least, let most, let mode):
            switch mode {
            case .greedy: steps.append(.greedy(index(set), least: least, most: most ?? .max))
            case .possessive: steps.append(.possessive(index(set), least: least))
            case .lazy: steps.append(.lazy(index(set), least: least))
            }
        case .repetition(let body, let least, let most, _):
            for _ in 0..<least { try compile(body) }
            var forks: [Int] = []
            for _ in least..<max(most ?? least, least) {
                forks.append(steps.count)
                steps.append(.fork(steps.count + 1, 0))
                try compile(body)
            }
            for fork in forks { steps[fork] = .fork(fork + 1, steps.count) }
        case .lookAhead(let body, let isNegated):
            let look = steps.count
            steps.append(.look(end: 0, isNegated: isNegated))
            try compile(body)
            steps.append(.done)
            steps[look] = .look(end: steps.count, isNegated: isNegated)
        }
    }

    /// How often choices may be come back to in a text of this length, far more than by published patterns: inside
    /// counts it could be for ever. After that only what matches at once does.
    private static func patience(_ length: Int) -> Int { 1 << 20 + 1024 * length }

    /// Calls `body` with every match from left to right; none is empty, and none overlaps another.
    func forEachMatch(in text: UnsafeBufferPointer<UInt8>, _ body: (Range<Int>) -> Void) {
        var choices: [Choice] = []
        var patience = Self.patience(text.count)
        var place = 0
        while place < text.count {
            let byte = text[place]
            if starts[Int(min(byte, 128))], let end = match(text, at: place, from: 0, &choices, &patience) {
                body(place..<end)
                place = end
            } else {
                place += text.scalar(at: place).length
            }
        }
    }

    /// The end of the match that begins at `start`.
    private func match(
        _ text: UnsafeBufferPointer<UInt8>, at start: Int, from first: Int, _ choices: inout [Choice],
        _ patience: inout Int
    ) -> Int? {
        let base = choices.count
        defer { choices.removeSubrange(base...) }
        var place = start
        var step = first
        while true {
            var fails = false
            switch steps[step] {
            case .done: return place
            case .one(let set):
                if place < text.count {
                    let (value, length) = text.scalar(at: place)
                    fails = !sets[set].contains(value)
                    place += length
                } else {
                    fails = true
                }
                step += 1
            case .greedy(let set, let least, let most):
                let (floor, end, count) = run(text, place, set, least, most)
                fails = count < least
                if !fails, end > floor { choices.append(Choice(step: step + 1, place: end, floor: floor)) }
                place = end
                step += 1
            case .possessive(let set, let least):
                let (_, end, count) = run(text, place, set, least, .max)
                fails = count < least
                place = end
                step += 1
            case .lazy(let set, let least):
                let (_, end, count) = run(text, place, set, least, least)
                fails = count < least
                place = end
                if !fails, end < text.count, sets[set].contains(text.scalar(at: end).value) {
                    choices.append(Choice(step: step, place: end + text.scalar(at: end).length, floor: -2))
                }
                step += 1
            case .fork(let now, let later):
                choices.append(Choice(step: later, place: place, floor: -1))
                step = now
            case .jump(let target): step = target
            case .look(let end, let isNegated):
                fails = (match(text, at: place, from: step + 1, &choices, &patience) == nil) != isNegated
                step = end
            }
            if fails {
                patience -= 1
                guard patience >= 0, choices.count > base, var last = choices.popLast() else { return nil }
                place = last.place
                step = last.step
                if last.floor >= 0 {
                    place = text.scalarStart(before: last.place)
                    last.place = place
                    if place > last.floor { choices.append(last) }
                } else if last.floor == -2, case .lazy(let set, _) = steps[step] {
                    // One character more, and later perhaps another.
                    if place < text.count, sets[set].contains(text.scalar(at: place).value) {
                        last.place = place + text.scalar(at: place).length
                        choices.append(last)
                    }
                    step += 1
                }
            }
        }
    }

    /// The characters of a set from `start` on: where the least number of them ends, where they end, how many there are.
    @inline(__always)
    private func run(
        _ text: UnsafeBufferPointer<UInt8>, _ start: Int, _ set: Int, _ least: Int, _ most: Int
    ) -> (floor: Int, end: Int, count: Int) {
        var (floor, end, count) = (start, start, 0)
        while count < most, end < text.count {
            let (value, length) = text.scalar(at: end)
            guard sets[set].contains(value) else { break }
            end += length
            count += 1
            if count == least { floor = end }
        }
        return (floor, end, count)
    }
}
