import Conversations
import Foundation
import Generation
import Torch

/// Draws replies of a saved model.
enum ReplyDrawing {
    /// One reply per history; reply `i` depends on the seed and `i`, not on the others.
    static func replies(of model: URL, to histories: [[Turn]], sampling: Sampling) async throws -> [Reply] {
        try await ReplyGenerator(folder: model, dtype: .bfloat16).replies(to: histories, sampling: sampling)
    }
}
