import Foundation

/// Cuts a streamed text at the first of some stop strings, and never lets a piece through that could turn out to be the
/// beginning of one.
struct StopMatcher: Sendable {
    private let stops: [String]
    private var held = ""
    /// True once a stop string was met: nothing more comes out.
    private(set) var isStopped = false

    init(_ stops: [String]) { self.stops = stops.filter { !$0.isEmpty } }

    /// Takes the next piece; gives what may be shown now.
    mutating func feed(_ piece: String) -> String {
        guard !isStopped else { return "" }
        guard !stops.isEmpty else { return piece }
        held += piece
        if let cut = stops.compactMap({ held.range(of: $0)?.lowerBound }).min() {
            isStopped = true
            let shown = String(held[..<cut])
            held = ""
            return shown
        }
        // Hold back the longest end that begins a stop string.
        var keep = 0
        for stop in stops {
            for length in stride(from: min(stop.count - 1, held.count), to: keep, by: -1)
            where held.hasSuffix(stop.prefix(length)) {
                keep = length
                break
            }
        }
        let shown = String(held.dropLast(keep))
        held = String(held.suffix(keep))
        return shown
    }

    /// What was held back when the text ended without a stop string.
    mutating func finish() -> String {
        defer { held = "" }
        return isStopped ? "" : held
    }
}
