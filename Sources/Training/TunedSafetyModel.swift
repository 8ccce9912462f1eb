import Conversations
import Foundation
import LanguageModels
import Statistics
import Torch

/// A classifier of unsafe text for both sides of a turn: a sentence encoder whose upper layers were tuned on what people marked
/// as abuse (their own side) and as unsafe replies (the bot's), reading text and context together.
///
/// It is a reward model for "safe" (`EncoderRewardModel`) of which only what differs from the encoder is kept, in bfloat16; the
/// side stands as a word before the text, and each side has a calibration and a threshold of its own. One pass at a time.
public actor TunedSafetyModel {
    /// How one side's margins become probabilities, and from where on the layer objects.
    public struct Side: Sendable, Hashable, Codable {
        /// Platt's scaling: probability of unsafe = σ(slope · margin + offset).
        public var slope: Double
        public var offset: Double
        public var threshold: Double

        public init(slope: Double, offset: Double, threshold: Double) {
            self.slope = slope
            self.offset = offset
            self.threshold = threshold
        }
    }

    /// What the folder says: `safety.json`.
    public struct Card: Sendable, Hashable, Codable {
        public var shape: EncoderRewardModel.Shape
        public var person: Side
        public var reply: Side
        /// Names of the data sets.
        public var trainedOn: [String]
        /// Tells what a kept member of several learned from, labels too; `nil` of a model that is done.
        var texts: String?

        enum CodingKeys: String, CodingKey {
            case shape, person, reply, texts
            case trainedOn = "trained_on"
        }
    }

    nonisolated public let card: Card
    private let model: EncoderRewardModel
    private let thread = ComputeThread(name: "loam.safety")

    nonisolated public var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    private static let cardName = "safety.json"
    private static let weightsName = "safety.safetensors"

    init(_ model: EncoderRewardModel, card: Card) {
        self.model = model
        self.card = card
    }

    /// - Parameters:
    ///   - folder: what `write` wrote.
    ///   - encoder: the encoder that it was tuned from.
    /// - Throws: `TrainingError` naming the file, `checkpoint` where the tensors are not this encoder's.
    public init(folder: URL, encoder: URL, device: Device = .cpu) throws {
        (model, card) = try Self.read(folder, encoder: encoder, device: device)
        // It only judges from here on: cast once to the type of its products, not at every text. The embeddings are summed in float32.
        for (name, parameter) in model.encoder.namedParameters where name.hasPrefix("encoder.layer.") {
            parameter.value = try parameter.value.to(device.matrixType)
        }
    }

    /// What a folder holds, in the encoder's own type.
    static func read(_ folder: URL, encoder: URL, device: Device) throws -> (model: EncoderRewardModel, card: Card) {
        let file = folder.appending(path: cardName)
        guard FileManager.default.fileExists(atPath: file.path) else {
            throw TrainingError(
                .checkpoint,
                "\(file.path) is missing: \(folder.lastPathComponent) is no safety model of `loam train safety`")
        }
        let card: Card
        do {
            card = try JSONDecoder().decode(Card.self, from: Data(contentsOf: file))
        } catch {
            throw TrainingError(.checkpoint, "\(file.path): not a safety model: \(error)")
        }
        let model = try EncoderRewardModel(encoder: encoder, shape: card.shape, device: device)
        let weights = folder.appending(path: weightsName)
        let saved = try TensorFile.read(weights, device: device)
        var own: [String: Parameter] = [:]
        for (name, parameter) in model.encoder.namedParameters + model.head.named("head") { own[name] = parameter }
        guard saved.keys.contains("head.weight") else {
            throw TrainingError(.checkpoint, "\(weights.path): head.weight is missing")
        }
        for (name, value) in saved {
            guard let parameter = own[name], parameter.value.shape == value.shape else {
                throw TrainingError(.checkpoint, "\(weights.path): \(name) is of another encoder")
            }
            try parameter.value.copy(from: value.to(parameter.value.dtype))
        }
        return (model, card)
    }

    /// Whether a folder holds one: the card is written last.
    static func isPresent(in folder: URL) -> Bool {
        FileManager.default.fileExists(atPath: folder.appending(path: cardName).path)
    }

    /// Writes what differs from the encoder, and the card last.
    /// - Parameter frozenLayers: layers, counted from the embeddings, that are the encoder's own.
    public func write(to folder: URL, frozenLayers: Int) throws {
        try Self.write(model, card: card, to: folder, frozenLayers: frozenLayers)
    }

    static func write(_ model: EncoderRewardModel, card: Card, to folder: URL, frozenLayers: Int) throws {
        let tuned = model.encoder.namedParameters.filter {
            EncoderRewardTraining.layer(of: $0.name).map { $0 >= frozenLayers } ?? false
        }
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try TensorFile.write(
                tuned.map { ($0.name, try $0.parameter.value.to(.bfloat16)) }
                    + model.head.named("head").map { ($0.name, $0.parameter.value) },
                to: folder.appending(path: weightsName))
            let json = JSONEncoder()
            json.outputFormatting = [.prettyPrinted, .sortedKeys]
            try json.encode(card).write(to: folder.appending(path: cardName), options: .atomic)
        } catch {
            throw TrainingError(.file, "\(folder.path) cannot be written: \(error)")
        }
    }

    /// Probability that each text is unsafe after its context.
    public func probabilities(of pairs: [(context: [Turn], text: String)], saidBy side: Sender) throws -> [Double] {
        let calibration = side == .bot ? card.reply : card.person
        return try margins(of: pairs, saidBy: side).map {
            LogisticRegression.sigmoid(calibration.slope * $0 + calibration.offset)
        }
    }

    /// Margins of unsafe, larger is worse.
    func margins(of pairs: [(context: [Turn], text: String)], saidBy side: Sender) throws -> [Double] {
        try model.margins(pairs.map { Self.input($0.context, $0.text, side) }).map { -$0 }
    }

    /// The same as an example of safe or unsafe.
    static func input(_ context: [Turn], _ text: String, _ side: Sender) -> EncoderRewardModel.Input {
        .init(context: context, reply: (side == .bot ? "reply: " : "person: ") + text)
    }

    /// One side of it for rooms that know classifiers.
    nonisolated public func classifier(of side: Sender) -> SideClassifier { SideClassifier(model: self, side: side) }

    /// Texts of one side of a turn.
    public struct SideClassifier: TextClassifier {
        let model: TunedSafetyModel
        let side: Sender

        public func probabilities(of pairs: [(context: [Turn], text: String)]) async throws -> [Double] {
            try await model.probabilities(of: pairs, saidBy: side)
        }
    }
}
