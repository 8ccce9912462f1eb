/// Text in which every scalar knows where it comes from. Counted in Unicode scalars, as Python's strings are.
///
/// Equality looks at the scalars alone: a template that compares a message with its own word must not see a difference.
struct TracedText: Sendable, Hashable {
    /// Who wrote a piece of text.
    enum Origin: Sendable, Hashable {
        /// The template, or the tokens of the tokenizer.
        case template
        /// A message, a tool, a document: anything that a person or a model may have typed.
        case content
    }

    struct Run: Sendable {
        /// The index after the run's last scalar.
        var end: Int
        var origin: Origin
    }

    private(set) var scalars: [Unicode.Scalar] = []
    /// Ascending, neighbours of different origin, the last one ending with the text; empty for an empty text.
    private(set) var runs: [Run] = []
    /// Whether a template marked it as safe for HTML.
    var isMarkup = false

    init() {}

    init(_ string: String, origin: Origin) { self.init(scalars: Array(string.unicodeScalars), origin: origin) }

    init(scalars: [Unicode.Scalar], origin: Origin) {
        self.scalars = scalars
        if !scalars.isEmpty { runs = [Run(end: scalars.count, origin: origin)] }
    }

    /// The template's own text.
    static func own(_ string: String) -> TracedText { TracedText(string, origin: .template) }

    var count: Int { scalars.count }
    var isEmpty: Bool { scalars.isEmpty }
    /// Whether any scalar comes from content.
    var hasContent: Bool { runs.contains { $0.origin == .content } }
    var string: String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }

    static func == (left: TracedText, right: TracedText) -> Bool { left.scalars == right.scalars }
    func hash(into hasher: inout Hasher) { hasher.combine(scalars) }

    func equals(_ string: String) -> Bool { scalars.elementsEqual(string.unicodeScalars) }

    private mutating func extend(to end: Int, _ origin: Origin) {
        if let last = runs.last, last.origin == origin {
            runs[runs.count - 1].end = end
        } else {
            runs.append(Run(end: end, origin: origin))
        }
    }

    mutating func append(_ scalar: Unicode.Scalar, _ origin: Origin) {
        scalars.append(scalar)
        extend(to: scalars.count, origin)
    }

    mutating func append(_ string: String, _ origin: Origin) {
        let before = scalars.count
        scalars.append(contentsOf: string.unicodeScalars)
        if scalars.count > before { extend(to: scalars.count, origin) }
    }

    mutating func append(_ other: TracedText) {
        let start = scalars.count
        if start == 0 {
            self = other
            isMarkup = false
            return
        }
        scalars.append(contentsOf: other.scalars)
        for run in other.runs { extend(to: start + run.end, run.origin) }
    }

    static func + (left: TracedText, right: TracedText) -> TracedText {
        var result = left
        result.append(right)
        return result
    }

    /// The first run that ends after an index.
    private func run(at index: Int) -> Int {
        var (low, high) = (0, runs.count)
        while low < high {
            let middle = (low + high) / 2
            if runs[middle].end > index { high = middle } else { low = middle + 1 }
        }
        return low
    }

    func origin(at index: Int) -> Origin { runs[run(at: index)].origin }

    subscript(range: Range<Int>) -> TracedText {
        guard !range.isEmpty else { return TracedText() }
        if range.count == count { return self }
        var result = TracedText()
        result.scalars = Array(scalars[range])
        var index = run(at: range.lowerBound)
        while true {
            result.extend(to: min(runs[index].end, range.upperBound) - range.lowerBound, runs[index].origin)
            if runs[index].end >= range.upperBound { return result }
            index += 1
        }
    }

    subscript(from start: Int) -> TracedText { self[start..<count] }

    /// The same scalars, all of one origin.
    func marked(_ origin: Origin) -> TracedText { TracedText(scalars: scalars, origin: origin) }

    /// The scalars at these indices in their order.
    func picking(_ indices: some Sequence<Int>) -> TracedText {
        var result = TracedText()
        for index in indices { result.append(scalars[index], origin(at: index)) }
        return result
    }

    /// The text with every scalar replaced by others, which keep its origin.
    func mapped(_ body: (Int, Unicode.Scalar) -> String) -> TracedText {
        var result = TracedText()
        result.scalars.reserveCapacity(count)
        var start = 0
        for run in runs {
            for index in start..<run.end {
                result.scalars.append(contentsOf: body(index, scalars[index]).unicodeScalars)
            }
            if result.scalars.count > (result.runs.last?.end ?? 0) {
                result.extend(to: result.scalars.count, run.origin)
            }
            start = run.end
        }
        return result
    }
}
