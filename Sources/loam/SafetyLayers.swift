import Conversations
import Dialogue
import Foundation
import Safety
import Training

/// The safety layers that commands talk with: the classifier with tuned layers where it ships, else heads on frozen vectors.
enum SafetyLayers {
    /// - Throws: `TrainingError` or `SafetyError` for a classifier that does not go with the encoder.
    static func open(_ encoder: any TextEncoder, folder: URL) throws -> SafetyGuard {
        guard let tuned = SafetyPipeline.tunedFolder else { return try SafetyGuard(encoder: encoder) }
        let model = try TunedSafetyModel(folder: tuned, encoder: folder)
        return try SafetyGuard(
            person: SafetyLayer(model.classifier(of: .human), threshold: model.card.person.threshold),
            reply: SafetyLayer(model.classifier(of: .bot), threshold: model.card.reply.threshold))
    }
}
