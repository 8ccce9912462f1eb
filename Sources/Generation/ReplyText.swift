import Tokenizers

/// Turns ids into text as they come; every piece is valid text.
public protocol PieceDecoder: Sendable {
    /// The text that the next id completes; often empty.
    mutating func append(_ id: Int) -> String
    /// What is still held at the end.
    mutating func finish() -> String
}

extension StreamingDecoder: PieceDecoder {}

/// Leaves out the white space with which a text begins.
struct TrimmedStart<Base: PieceDecoder>: PieceDecoder {
    private var base: Base
    private var hasBegun = false

    init(_ base: Base) { self.base = base }

    mutating func append(_ id: Int) -> String { trimmed(base.append(id)) }
    mutating func finish() -> String { trimmed(base.finish()) }

    private mutating func trimmed(_ piece: String) -> String {
        if hasBegun { return piece }
        // A line's end is no white space here: it may be what ends a turn.
        let rest = piece.drop { $0 == " " || $0 == "\t" }
        hasBegun = !rest.isEmpty
        return String(rest)
    }
}

/// Makes a decoder for one reply.
public typealias PieceDecoding = @Sendable () -> any PieceDecoder

/// The text of one reply as its tokens come, cut off at a stop string.
struct ReplyText: Sendable {
    private var decoder: (any PieceDecoder)?
    private var stops: StopStrings
    /// What may be shown so far.
    private(set) var text = ""

    /// - Parameter pieces: `nil` for a caller that wants no text.
    init(_ pieces: PieceDecoding?, stops: [String]) {
        decoder = pieces?()
        self.stops = StopStrings(stops)
    }

    /// Whether a stop string has come.
    var isStopped: Bool { stops.isStopped }

    /// The text that the next id makes certain.
    mutating func append(_ id: Int) -> String {
        guard let piece = decoder?.append(id), !piece.isEmpty else { return "" }
        let shown = stops.feed(piece)
        text += shown
        return shown
    }

    /// What was held back until the end.
    mutating func finish() -> String {
        guard let rest = decoder?.finish() else { return "" }
        let shown = stops.feed(rest) + stops.finish()
        text += shown
        return shown
    }
}
