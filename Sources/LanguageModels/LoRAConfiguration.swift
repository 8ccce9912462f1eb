/// `adapter_config.json` as PEFT writes it, as far as low-rank adapters go (Hu et al. 2021, arXiv 2106.09685).
public struct LoRAConfiguration: Sendable, Hashable {
    /// Rank of the two factors.
    public var rank: Int
    /// The change is scaled by `alpha / rank`, or by `alpha / √rank`.
    public var alpha: Double
    /// Whether the scale goes by the root of the rank (Kalajdzievski 2023, arXiv 2312.03732).
    public var isRankStabilized: Bool
    /// Ranks of modules whose name ends so.
    public var ranks: [String: Int]
    /// Alphas of modules whose name ends so.
    public var alphas: [String: Double]
    /// Matrices that change: names, or how they end behind a dot (`q_proj`, `1.mlp.down_proj`). `all-linear` is every matrix
    /// but the head; none at all stands for the family's queries and values, as in the paper.
    public var targets: [String]
    /// Share of the inputs of the first factor that are dropped while learning, from 0 to below 1.
    public var dropout: Double

    public init(
        rank: Int, alpha: Double, isRankStabilized: Bool = false, ranks: [String: Int] = [:],
        alphas: [String: Double] = [:], targets: [String] = [], dropout: Double = 0
    ) {
        self.rank = rank
        self.alpha = alpha
        self.isRankStabilized = isRankStabilized
        self.ranks = ranks
        self.alphas = alphas
        self.targets = targets
        self.dropout = dropout
    }

    /// Stands for every matrix but the head.
    public static let allLinear = "all-linear"
    /// Queries and values in every family's spelling; GPT-2 has them in one matrix with the keys.
    private static let attention = ["q_proj", "v_proj", "c_attn"]

    /// Whether a matrix of a model is to change.
    func targets(_ module: String) -> Bool {
        if targets.contains(Self.allLinear), module != "lm_head" { return true }
        return (targets.isEmpty ? Self.attention : targets).contains { module == $0 || module.hasSuffix("." + $0) }
    }

    /// The rank of one module.
    func rank(of module: String) throws -> Int { try Self.value(of: module, in: ranks, "rank_pattern") ?? rank }

    /// What the product of the factors is multiplied by.
    func scale(of module: String) throws -> Double {
        let rank = Double(try rank(of: module))
        let alpha = try Self.value(of: module, in: alphas, "alpha_pattern") ?? alpha
        return alpha / (isRankStabilized ? rank.squareRoot() : rank)
    }

    /// The value of the pattern that the module's name is or, behind a dot, ends with. PEFT takes the first that fits;
    /// a file's order is lost here, so several must agree.
    private static func value<T: Hashable>(of module: String, in patterns: [String: T], _ field: String) throws -> T? {
        let found = Set(patterns.filter { module == $0.key || module.hasSuffix("." + $0.key) }.values)
        guard found.count < 2 else {
            throw LanguageModelError(.configuration, "adapter_config.json: \(field) has several values for \(module)")
        }
        return found.first
    }
}

extension LoRAConfiguration {
    /// What `adapter_config.json` says: the fields that PEFT needs, and those whose defaults have changed between versions.
    struct File: Encodable {
        let configuration: LoRAConfiguration
        /// The folder or name of the model that the adapter belongs to.
        let base: String?
        /// Last parts of the changed matrices' names.
        let modules: [String]
        /// Whether the files of the model hold their matrices as [in, out].
        let isTurned: Bool

        func encode(to encoder: any Encoder) throws {
            var writer = ConfigurationWriter(encoder)
            try writer.write("peft_type", "LORA")
            try writer.write("task_type", "CAUSAL_LM")
            if let base { try writer.write("base_model_name_or_path", base) }
            try writer.write("inference_mode", true)
            try writer.write("r", configuration.rank)
            try writer.write("lora_alpha", configuration.alpha)
            try writer.write("lora_dropout", configuration.dropout)
            try writer.write("use_rslora", configuration.isRankStabilized)
            try writer.write("target_modules", modules)
            try writer.write("rank_pattern", configuration.ranks)
            try writer.write("alpha_pattern", configuration.alphas)
            try writer.write("bias", "none")
            try writer.write("fan_in_fan_out", isTurned)
        }
    }

    /// - Throws: `LanguageModelError` naming the setting outside its range.
    func validate() throws {
        func fault(_ what: String) -> LanguageModelError { .init(.configuration, "LoRA: \(what)") }
        guard (1...1 << 16).contains(rank) else { throw fault("rank is \(rank), it must be 1 or more") }
        guard alpha.isFinite, alpha > 0 else { throw fault("alpha is \(alpha), it must be above 0") }
        guard dropout >= 0, dropout < 1 else { throw fault("dropout is \(dropout), it must be from 0 to below 1") }
    }
}

extension LoRAConfiguration: Decodable {
    /// Fields that make an adapter something else than two factors beside a matrix.
    private static let foreign = [
        "use_dora", "lora_bias", "modules_to_save", "layer_replication", "use_qalora", "trainable_token_indices",
        "target_parameters", "alora_invocation_tokens", "loftq_config", "velora_config", "monteclora_config",
        "use_bdlora", "arrow_config", "kasa_config", "corda_config", "lora_ga_config", "megatron_config",
    ]
    /// Starts that leave the base model as it was; the others subtract something from it.
    private static let harmlessStarts: Set<String> = ["gaussian", "orthogonal", "eva", "true", "false"]

    public init(from decoder: any Swift.Decoder) throws {
        let fields = try ConfigurationFields(decoder, file: "adapter_config.json")
        let type: String = try fields.required("peft_type")
        guard type.uppercased() == "LORA" else { throw fields.unsupported("peft_type", "“\(type)”") }
        for name in Self.foreign { try fields.refuse(name) }
        try fields.refuse("bias", except: .text("none"))
        if let start: ConfigurationValue = try fields.optional("init_lora_weights"), case .text(let text) = start,
            !Self.harmlessStarts.contains(text.lowercased())
        {
            throw fields.unsupported("init_lora_weights", "“\(text)”")
        }
        self.init(
            rank: try fields.required("r"), alpha: try fields.required("lora_alpha"),
            isRankStabilized: try fields.value("use_rslora", default: false),
            ranks: try fields.value("rank_pattern", default: [:]),
            alphas: try fields.value("alpha_pattern", default: [:]),
            targets: try Self.names(fields),
            dropout: try fields.value("lora_dropout", default: 0))
        guard dropout >= 0, dropout < 1 else {
            throw LanguageModelError(.configuration, "adapter_config.json: lora_dropout is \(dropout)")
        }
        for (name, keys) in [("rank_pattern", Array(ranks.keys)), ("alpha_pattern", Array(alphas.keys))] {
            // PEFT reads them as regular expressions; plain names are all that is read here.
            if let odd = keys.first(where: { !Self.isPlain($0) }) { throw fields.unsupported(name, "“\(odd)”") }
        }
        for value in [rank] + ranks.values where !(1...1 << 16).contains(value) {
            throw LanguageModelError(.configuration, "adapter_config.json: r is \(value)")
        }
        for value in [alpha] + alphas.values where !value.isFinite {
            throw LanguageModelError(.configuration, "adapter_config.json: lora_alpha is \(value)")
        }
    }

    /// One name or a list; what is changed shows by the factors, so a regular expression does no harm.
    private static func names(_ fields: ConfigurationFields) throws -> [String] {
        if let list: [String] = try? fields.value("target_modules", default: []) { return list }
        return [try fields.required("target_modules")]
    }

    private static func isPlain(_ pattern: String) -> Bool {
        !pattern.isEmpty
            && pattern.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }
}
