import Conversations
import Foundation
import Generation
import Torch

/// Draws replies of a saved model.
enum ReplyDrawing {
    /// One reply per history; reply `i` depends on the seed and `i`, not on the others.
    /// - Parameter today: What a chat template that asks for the date is told.
    static func replies(
        of model: URL, to histories: [[Turn]], sampling: Sampling, today: Date
    ) async throws -> [Reply] {
        try await ReplyGenerator(folder: model, dtype: ReplyGenerator.fastestType(model), now: { today }).replies(
            to: histories, sampling: sampling)
    }
}
