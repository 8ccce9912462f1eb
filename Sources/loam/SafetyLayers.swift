import Conversations
import Dialogue
import Foundation
import Safety
import Training

/// The safety layers that commands talk with: a classifier with tuned layers where one is named or ships, else heads on frozen
/// vectors.
enum SafetyLayers {
    /// - Parameters:
    ///   - folder: the encoder's.
    ///   - tuned: a folder that `loam train safety` made.
    /// - Throws: `TrainingError` or `SafetyError` for a classifier that does not go with the encoder.
    static func open(_ encoder: any TextEncoder, folder: URL, tuned: String?) throws -> SafetyGuard {
        guard let tuned = tuned.map({ URL(filePath: $0) }) ?? SafetyPipeline.tunedFolder else {
            return try SafetyGuard(encoder: encoder)
        }
        let model = try TunedSafetyModel(folder: tuned, encoder: folder)
        return try SafetyGuard(
            person: SafetyLayer(model.classifier(of: .human), threshold: model.card.person.threshold),
            reply: SafetyLayer(model.classifier(of: .bot), threshold: model.card.reply.threshold))
    }
}
