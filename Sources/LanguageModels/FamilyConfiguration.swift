/// `config.json` of one family of decoders, field names as Hugging Face writes them.
public protocol FamilyConfiguration: Sendable, Hashable, Codable {
    /// What `model_type` says.
    static var modelType: String { get }
    /// How the names of its classes begin: `Llama` of `LlamaForCausalLM`.
    static var classStem: String { get }
    /// The class with a language-model head.
    static var causalArchitecture: String { get }
    /// What every decoder can say of itself.
    var decoder: DecoderConfiguration { get }
    var tiesEmbeddings: Bool { get }
    var beginID: Int? { get set }
    var padID: Int? { get set }
    var endIDs: [Int] { get set }

    /// - Throws: `LanguageModelError` naming the field at fault.
    func validate() throws
}

extension FamilyConfiguration {
    public static var causalArchitecture: String { classStem + "ForCausalLM" }
    /// The class without a head.
    static var baseArchitecture: String { classStem + "Model" }
    /// The class with a `score` head.
    static var scorerArchitecture: String { classStem + "ForSequenceClassification" }

    /// Counts within bounds, and token ids within the vocabulary.
    func check(counts: [(name: String, value: Int)]) throws {
        for (name, value) in counts where value < 1 || value > 1 << 24 {
            throw LanguageModelError(.configuration, "config.json: \(name) is \(value)")
        }
        let vocabulary = decoder.vocabularySize
        let tokens =
            endIDs.map { ("eos_token_id", $0) }
            + [("bos_token_id", beginID), ("pad_token_id", padID)].compactMap { name, id in id.map { (name, $0) } }
        for (name, id) in tokens where !(0..<vocabulary).contains(id) {
            throw LanguageModelError(
                .configuration, "config.json: \(name) is \(id), the vocabulary has \(vocabulary)")
        }
    }

    func check(epsilon: Double, _ name: String) throws {
        guard epsilon.isFinite, epsilon >= 0 else {
            throw LanguageModelError(.configuration, "config.json: \(name) is \(epsilon)")
        }
    }

    /// `whole` must be a multiple of `part`.
    func check(_ wholeName: String, _ whole: Int, isMultipleOf partName: String, _ part: Int) throws {
        guard whole % part == 0 else {
            throw LanguageModelError(
                .configuration, "config.json: \(wholeName) \(whole) is no multiple of \(partName) \(part)")
        }
    }
}
