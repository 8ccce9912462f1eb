import Conversations

/// Something to learn from with the place that it comes from, so that a fault found later can name it.
public struct Sourced<Item: Sendable & Hashable>: Sendable, Hashable {
    public var item: Item
    /// Path of the file as given.
    public var file: String
    /// Line from 1; `nil` for what does not stand on a line of its own, such as one reply of a conversation.
    public var line: Int?

    public init(_ item: Item, file: String, line: Int? = nil) {
        self.item = item
        self.file = file
        self.line = line
    }

    /// The same place with another item.
    func with<Other>(_ other: Other) -> Sourced<Other> { Sourced<Other>(other, file: file, line: line) }

    /// A fault of this item.
    public func fault(_ field: String?, _ reason: String) -> LogError {
        LogError(.invalidField, file: file, line: line, field: field, reason: reason)
    }
}

/// What training files hold, whatever their shape.
public struct TrainingData: Sendable, Hashable {
    /// Single replies, with or without a verdict.
    public var examples: [Sourced<Example>] = []
    /// Two replies to one context each.
    public var pairs: [Sourced<PreferencePair>] = []
    /// Plain texts (language modelling).
    public var texts: [Sourced<String>] = []
    /// What a file's lines could not be used for, counted by reason; only logs are read past such lines.
    public var skipped: [String: Int] = [:]

    public init() {}

    public static func += (a: inout TrainingData, b: TrainingData) {
        a.examples += b.examples
        a.pairs += b.pairs
        a.texts += b.texts
        a.skipped.merge(b.skipped, uniquingKeysWith: +)
    }

    /// Replies with a verdict: labelled ones, and both sides of each pair that stands on a line of its own.
    ///
    /// Other pairs were made of replies that are examples themselves, with their own verdicts: what a log's thumbs and
    /// corrections say would count twice, and a reply that was only not gone on from would be bad.
    public var labelled: [Sourced<Example>] {
        examples.filter { $0.item.label != .unlabelled }
            + ownPairs.flatMap { pair in pair.item.examples.map { pair.with($0) } }
    }

    /// Replies to imitate: good and unlabelled ones, and the chosen side of each pair that stands on a line of its own.
    public var wanted: [Sourced<Example>] {
        examples.filter { $0.item.label != .bad } + ownPairs.map { $0.with($0.item.examples[0]) }
    }

    private var ownPairs: [Sourced<PreferencePair>] { pairs.filter { $0.line != nil } }

    /// - Throws: `TrainingError` when the labels are all of one kind.
    public func requireBothKinds(for method: String) throws {
        let labels = labelled.map(\.item.label)
        guard let first = labels.first else {
            throw TrainingError(.data, "\(names) hold no labelled reply; \(method) learns from good and bad ones")
        }
        guard labels.contains(where: { $0 != first }) else {
            throw TrainingError(
                .data, "\(names): all \(labels.count) labels are \(first.rawValue); \(method) needs good and bad ones")
        }
    }

    /// - Throws: `TrainingError` when there is no pair.
    public func requirePairs(for method: String) throws {
        guard pairs.isEmpty else { return }
        throw TrainingError(
            .data,
            "\(names) hold no pair of a better and a worse reply to one context; \(method) learns from those. "
                + "Single replies with labels are for kto, cringe, unlikelihood and director")
    }

    /// The files, for messages.
    private var names: String {
        let files = Set(examples.map(\.file) + pairs.map(\.file) + texts.map(\.file)).sorted()
        return files.isEmpty ? "the data" : files.joined(separator: ", ")
    }
}
