import Conversations
import Foundation
import LanguageModels
import Torch

/// One safety classifier out of several trainings: the mean of their weights (Wortsman et al. 2022, "Model soups", arXiv
/// 2203.05482), which begin from one encoder, keep the same texts back and differ in the order of the others. It reads a text as
/// fast as one of them.
struct SafetyEnsemble {
    let tuning: EncoderRewardTraining
    let members: Int
    /// Where members that are finished are kept; `nil` keeps none.
    let folder: URL?
    /// Names of the data sets.
    let trainedOn: [String]

    /// - Returns: The mean, calibrated on the texts kept back.
    /// - Throws: `TrainingError`: what training throws; `options` for fewer members than one; `checkpoint` where the folder's
    ///   members learned from other texts.
    func average(
        _ examples: [RewardExample], encoder: URL, shape: EncoderRewardModel.Shape, device: Device,
        onStep: (Int, Int) throws -> Void
    ) throws -> EncoderRewardModel {
        guard members >= 1 else { throw TrainingError(.options, "a classifier has one member or more, not \(members)") }
        var tuning = tuning
        tuning.heldSeed = tuning.heldSeed ?? tuning.seed
        let (learned, held) = try tuning.split(examples)
        let shape = EncoderRewardTraining.shape(shape, learned: learned)
        let mean = try EncoderRewardModel(encoder: encoder, shape: shape, device: device)
        let parameters = Self.parameters(of: mean)
        let texts = Self.fingerprint(examples)
        var sums: [Tensor] = []
        for index in 0..<members {
            let member = try member(
                index, tuning, examples, texts: texts, encoder: encoder, shape: shape, device: device,
                onStep: { step, total in try onStep(index * total + step, members * total) })
            let values = try Self.parameters(of: member).map { try $0.value.detach().to(.float32) }
            sums = sums.isEmpty ? values : try zip(sums, values).map { try $0 + $1 }
        }
        try withoutGradients {
            for (parameter, sum) in zip(parameters, sums) {
                try parameter.value.copy(from: (sum * (1 / Double(members))).to(parameter.value.dtype))
            }
        }
        let margins = try mean.tunedMargins(held.map { .init($0) }, compute: tuning.compute.dtype)
        (mean.shape.slope, mean.shape.offset) = try RewardModel.platt(
            margins: margins, labels: held.map(\.isGood), weights: held.map(\.weight))
        return mean
    }

    /// One training, or what the folder has of it.
    private func member(
        _ index: Int, _ tuning: EncoderRewardTraining, _ examples: [RewardExample], texts: String,
        encoder: URL, shape: EncoderRewardModel.Shape, device: Device, onStep: (Int, Int) throws -> Void
    ) throws -> EncoderRewardModel {
        let place = folder?.appending(path: "member-\(index + 1)")
        if let place, TunedSafetyModel.isPresent(in: place) {
            let (kept, card) = try TunedSafetyModel.read(place, encoder: encoder, device: device)
            // The facts' means are those of what was learned from: other texts have others. Members kept by versions
            // that wrote no fingerprint have nothing else to be told by.
            guard card.trainedOn == trainedOn, Self.reading(card.shape) == Self.reading(shape),
                card.texts == nil || card.texts == texts
            else {
                throw TrainingError(
                    .checkpoint,
                    "\(place.path) learned from other texts, or from other labels of them; remove it, or name "
                        + "another folder")
            }
            return kept
        }
        var tuning = tuning
        tuning.seed &+= UInt64(index)
        let model = try tuning.train(examples, encoder: encoder, shape: shape, device: device, onStep: onStep).model
        guard let place else { return model }
        let side = TunedSafetyModel.Side(slope: model.shape.slope, offset: -model.shape.offset, threshold: 0.5)
        let card = TunedSafetyModel.Card(
            shape: model.shape, person: side, reply: side, trainedOn: trainedOn, texts: texts)
        try TunedSafetyModel.write(model, card: card, to: place, frozenLayers: tuning.frozenLayers)
        // As it is kept: a training that goes on has the same mean as one that was never cut off.
        return try TunedSafetyModel.read(place, encoder: encoder, device: device).model
    }

    /// A stable hash of the texts with their labels and all else that a member learns of them.
    private static func fingerprint(_ examples: [RewardExample]) -> String {
        var hash = StableHash(salt: "safety-members")
        for example in examples {
            var parts = example.context.flatMap { [$0.sender.rawValue, $0.text] }
            parts += [example.reply, example.judgedFor ?? "", "\(example.isGood)", "\(example.weight)"]
            hash.add("\(parts.count)")
            for part in parts {
                hash.add(part)
                // 0xFF never occurs in UTF-8, so no part runs into the next.
                hash.add(CollectionOfOne(UInt8(0xFF)))
            }
        }
        return String(hash.value, radix: 16)
    }

    private static func parameters(of model: EncoderRewardModel) -> [Parameter] {
        model.encoder.namedParameters.map(\.parameter) + model.head.named("head").map(\.parameter)
    }

    /// What a shape says of reading texts, without its calibration.
    private static func reading(_ shape: EncoderRewardModel.Shape) -> EncoderRewardModel.Shape {
        var shape = shape
        (shape.slope, shape.offset) = (1, 0)
        return shape
    }
}
