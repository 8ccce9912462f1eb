import Conversations

/// What can be wrong with a reply: the categories of BB3x's raters (`reference.md` 1.1).
public enum Flaw: String, Sendable, Hashable, Codable, CaseIterable {
    case inappropriate
    case offTopic = "off_topic"
    /// Makes no sense, contradicts itself or is false.
    case nonsensical
    /// Does not answer the last turn, though it keeps to what was spoken of or says nothing.
    case ignoring
    /// Says again what was said before.
    case repeating
    /// Advertising.
    case other

    /// The reason that a person would choose on the page; ignoring has no button of its own there.
    public var reason: DislikeReason {
        switch self {
        case .inappropriate: .inappropriate
        case .offTopic, .ignoring: .offTopic
        case .nonsensical: .nonsensical
        case .repeating: .repeating
        case .other: .spam
        }
    }
}

/// What the judge says of a reply.
public enum Verdict: Sendable, Hashable {
    case good
    case bad(Flaw)

    public var isGood: Bool { self == .good }

    /// `good` or the name of the flaw: one word for tables and files.
    public var name: String {
        switch self {
        case .good: "good"
        case .bad(let flaw): flaw.rawValue
        }
    }

    public init?(name: String) {
        if name == "good" {
            self = .good
        } else if let flaw = Flaw(rawValue: name) {
            self = .bad(flaw)
        } else {
            return nil
        }
    }
}
