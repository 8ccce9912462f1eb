import Conversations
import Foundation
import LanguageModels
import Tokenizers
import Torch

/// A method made ready for a model and its data: the loss, and where its batches come from. What is left is a `Trainer`.
public struct MethodPlan {
    public let method: Method
    public let loss: any TrainingLoss
    public let source: any BatchSource
    /// DIRECTOR's head, to be saved beside the model.
    public let director: DirectorHead?
    /// What could not be used, by reason, and how many documents lost old turns.
    public let skipped: [ExampleTokenizer.Skip: Int]
    public let truncated: Int

    /// Tokenizes, and works out the reference model's log-probabilities where the method has a reference.
    /// - Parameters:
    ///   - model: As it is before training: it is the reference where no other is named.
    ///   - anchor: Another model as the reference, of the same vocabulary; not asked again once the plan is made.
    ///   - head: DIRECTOR's head to go on with; `nil` makes a fresh one.
    ///   - cache: Folder for the reference log-probabilities; `nil` keeps nothing.
    /// - Throws: `TrainingError` when the data is not what the method needs; `LogError` naming a line that does not fit.
    public init(
        _ method: Method, settings: MethodSettings, data: TrainingData, model: any LanguageModels.Decoder,
        anchor: (any LanguageModels.Decoder)? = nil, format: any PromptFormat, head: DirectorHead? = nil,
        cache: URL? = nil,
        compute: TrainingOptions.ComputeType = .fastest(), seed: UInt64, onProgress: (String) -> Void = { _ in }
    ) throws {
        try settings.requireUse(in: method)
        let length = ExampleTokenizer.rowLength(for: model.configuration)
        // KTO judges a reply as a whole, every token of it: one whose shared tokens are good would be neither good nor bad.
        let overlap = method == .kto ? ExampleTokenizer.Overlap.pushedDown : settings.overlap
        let tokenizer = try ExampleTokenizer(
            format: format, contextLength: length, overlap: overlap,
            learnsContext: settings.learnsContext && method == .sft)
        self.method = method
        func reference(_ documents: [TokenizedExample], _ name: String) throws -> ReferenceLogProbabilities {
            try ReferenceLogProbabilities(
                of: documents, model: anchor ?? model, file: cache?.appending(path: name + ".jsonl"), compute: compute,
                onProgress: { onProgress("reference: \($0) of \(documents.count) replies") })
        }
        func wrapped(_ loss: any TokenLoss) throws -> any TrainingLoss {
            settings.repetition > 0 ? try RepetitionUnlikelihoodLoss(loss, share: settings.repetition) : loss
        }
        let made: ExampleTokenizer.Documents
        var ownHead: DirectorHead?
        switch method {
        case .sft:
            made = try tokenizer.documents(toImitate: data)
            loss = try wrapped(CrossEntropyLoss())
            // So many documents a step, packed, whatever their labels.
            source =
                made.documents.count > 1
                ? try GroupedSource(made.documents, rowLength: length, perStep: 2 * settings.perStep, seed: seed)
                : try PackedSource(made.documents, rowLength: length, rowsPerStep: 1, seed: seed)
        case .cringe, .maskedCringe, .unlikelihood, .director:
            try data.requireBothKinds(for: method.rawValue)
            let plain = settings.unlabelledPerStep > 0 ? data.examples.filter { $0.item.label == .unlabelled } : []
            made = try tokenizer.documents(data.labelled + plain)
            source = try BalancedSampler(
                made.documents, rowLength: length, goodPerStep: settings.perStep, badPerStep: settings.perStep,
                unlabelledPerStep: plain.isEmpty ? 0 : settings.unlabelledPerStep, seed: seed)
            switch method {
            case .director:
                let head =
                    try head
                    ?? DirectorHead(
                        settings.head, for: model.configuration, guidance: settings.guidance,
                        generator: Generator(seed: seed), device: model.device)
                ownHead = head
                loss = try wrapped(
                    DirectorLoss(
                        head: head, gamma: settings.gamma, norm: settings.norm, learnsPositives: plain.isEmpty,
                        freezesModel: settings.freezesModel))
            case .unlikelihood: loss = try wrapped(UnlikelihoodLoss(alpha: settings.alpha ?? 1))
            default: loss = try wrapped(Self.cringe(settings, isMasked: method == .maskedCringe))
            }
        case .pairwiseCringe, .dpo:
            try data.requirePairs(for: method.rawValue)
            made = try tokenizer.documents(pairs: data.pairs)
            source = try PairSource(made.documents, rowLength: length, pairsPerStep: settings.perStep, seed: seed)
            loss =
                method == .dpo
                ? try DPOLoss(
                    reference: reference(made.documents, "reference"), kind: settings.preference, beta: settings.beta,
                    labelSmoothing: settings.labelSmoothing, normalisesLength: settings.normalisesLength,
                    nll: settings.nll)
                : try PairwiseCRINGELoss(
                    cringe: Self.cringe(settings, isMasked: false), margin: settings.gateMargin,
                    temperature: settings.gateTemperature)
        case .kto:
            try data.requireBothKinds(for: method.rawValue)
            made = try tokenizer.documents(data.labelled)
            let grouped = try GroupedSource(
                made.documents, rowLength: length, perStep: 2 * settings.perStep, seed: seed)
            let mismatched = try KTOLoss.mismatch(made.documents, groups: grouped.groups, contextLength: length)
            source = grouped
            loss = try KTOLoss(
                reference: reference(made.documents, "reference"), mismatched: mismatched,
                mismatchedReference: reference(mismatched, "reference-mismatched"), beta: settings.beta,
                desirableWeight: settings.desirableWeight, undesirableWeight: settings.undesirableWeight)
        }
        director = ownHead
        skipped = made.skipped
        truncated = made.truncated
    }

    private static func cringe(_ settings: MethodSettings, isMasked: Bool) throws -> CRINGELoss {
        try CRINGELoss(
            alpha: settings.alpha ?? (isMasked ? 0.3 : 1), k: settings.k, choice: settings.choice,
            detachesPositives: settings.detachesPositives, contrastsPositives: settings.contrastsPositives,
            normalisation: settings.normalisation, probabilityMask: isMasked ? settings.probabilityMask : nil)
    }
}

extension TrainingData {
    /// Pairs of a good and a bad reply to one and the same context, made of single ones; the weight is the smaller of the
    /// two. At most `limit` for a context.
    public func pairedByContext(limit: Int = 4) -> [Sourced<PreferencePair>] {
        struct Key: Hashable {
            var context: [Turn]
            var plain: String?
        }
        var order: [Key] = []
        var groups: [Key: [Sourced<Example>]] = [:]
        for example in examples where example.item.label != .unlabelled {
            let key = Key(context: example.item.context, plain: example.item.plainPrompt)
            if groups[key] == nil { order.append(key) }
            groups[key, default: []].append(example)
        }
        return order.flatMap { key -> [Sourced<PreferencePair>] in
            let group = groups[key] ?? []
            let bad = group.filter { $0.item.label == .bad }
            return group.filter { $0.item.label == .good }.flatMap { good in
                bad.filter { $0.item.reply != good.item.reply }.map { other in
                    good.with(
                        PreferencePair(
                            context: key.context, plainPrompt: key.plain, chosen: good.item.reply,
                            rejected: other.item.reply, weight: min(good.item.weight, other.item.weight)))
                }
            }.prefix(limit).map { $0 }
        }
    }
}
