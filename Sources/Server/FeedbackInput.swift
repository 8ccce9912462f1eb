import Conversations
import Foundation

/// Feedback as a page or a client sends it.
struct FeedbackInput: Decodable, Sendable {
    /// +1 or −1; may be left out where there is text.
    var rating: Int?
    var reasons: [String]?
    var comment: String?
    var correction: String?

    /// The opinion, once it is sure to be one that can be kept.
    func checked(_ limits: ServerLimits) throws -> ChatService.Opinion {
        let rating = try rating.map { value in
            guard let rating = Rating(rawValue: value) else {
                throw ServerError.invalid("rating", "'rating' must be 1 or -1.")
            }
            return rating
        }
        var seen: [DislikeReason] = []
        for code in reasons ?? [] {
            let reason = DislikeReason(rawValue: code)
            guard DislikeReason.offered.contains(reason) else {
                let known = DislikeReason.offered.map(\.rawValue).joined(separator: ", ")
                throw ServerError.invalid("reasons", "'reasons' may hold: \(known).")
            }
            if !seen.contains(reason) { seen.append(reason) }
        }
        guard seen.isEmpty || rating == .dislike else {
            throw ServerError.invalid("reasons", "Reasons go with a rating of -1.")
        }
        let comment = try text(comment, "comment", limits)
        let correction = try text(correction, "correction", limits)
        guard rating != nil || comment != nil || correction != nil else {
            throw ServerError.invalid("rating", "Send a rating, a comment or a correction.")
        }
        return .init(rating: rating, reasons: seen, comment: comment, correction: correction)
    }

    private func text(_ value: String?, _ field: String, _ limits: ServerLimits) throws -> String? {
        guard let value = value?.trimmingCharacters(in: .whitespacesAndNewlines), !value.isEmpty else { return nil }
        guard limits.hold(value) else {
            throw ServerError.invalid(field, "'\(field)' may have at most \(limits.messageCharacters) characters.")
        }
        return value
    }
}
