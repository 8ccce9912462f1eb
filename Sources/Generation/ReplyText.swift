import Tokenizers

/// Turns ids into text as they come; every piece is valid text.
public protocol PieceDecoder: Sendable {
    /// The text that the next id completes; often empty.
    mutating func append(_ id: Int) -> String
    /// What is still held at the end.
    mutating func finish() -> String
}

extension StreamingDecoder: PieceDecoder {}

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
