/// Fields of a JSON file, most often `config.json`, by their own names, with the errors that name them.
///
/// Families share most fields and differ in defaults, so they read by name rather than through a list of keys each.
struct ConfigurationFields {
    /// Any name.
    struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(_ name: String) { stringValue = name }
        init?(stringValue: String) { self.init(stringValue) }
        init?(intValue: Int) { nil }
    }

    private let box: KeyedDecodingContainer<Name>
    /// The file, and the names around the fields, `config.json: rope_parameters.` say.
    private let place: String

    init(_ decoder: any Swift.Decoder, file: String = "config.json") throws {
        box = try decoder.container(keyedBy: Name.self)
        place = file + ": "
    }

    private init(box: KeyedDecodingContainer<Name>, place: String) {
        self.box = box
        self.place = place
    }

    var names: [String] { box.allKeys.map(\.stringValue).sorted() }

    /// Whether the field is there at all, be it null.
    func contains(_ name: String) -> Bool { box.contains(Name(name)) }

    /// A field that must be there.
    func required<T: Decodable>(_ name: String) throws -> T { try box.decode(T.self, forKey: Name(name)) }

    /// `nil` when missing or null.
    func optional<T: Decodable>(_ name: String) throws -> T? { try box.decodeIfPresent(T.self, forKey: Name(name)) }

    /// A field with a default for missing and for null.
    func value<T: Decodable>(_ name: String, default other: T) throws -> T { try optional(name) ?? other }

    /// An object within; `nil` when missing or null.
    func nested(_ name: String) throws -> ConfigurationFields? {
        guard contains(name), try !box.decodeNil(forKey: Name(name)) else { return nil }
        return ConfigurationFields(
            box: try box.nestedContainer(keyedBy: Name.self, forKey: Name(name)), place: place + name + ".")
    }

    /// A token id or a list of them; empty when missing or null.
    func ids(_ name: String) throws -> [Int] {
        guard contains(name), try !box.decodeNil(forKey: Name(name)) else { return [] }
        if let one: Int = try? required(name) { return [one] }
        return try required(name)
    }

    func activation(_ name: String, default other: Activation) throws -> Activation {
        guard let text: String = try optional(name) else { return other }
        guard let known = Activation(rawValue: text) else { throw unsupported(name, "“\(text)”") }
        return known
    }

    /// Refuses a field that says anything but "not used": missing, null, false, empty, or one of `neutral`.
    func refuse(_ name: String, except neutral: ConfigurationValue...) throws {
        guard let value: ConfigurationValue = try optional(name), !value.isOff, !neutral.contains(value) else { return }
        throw unsupported(name, value.description)
    }

    func unsupported(_ name: String, _ value: String) -> LanguageModelError {
        LanguageModelError(.configuration, "\(place)\(name) \(value) is not supported")
    }

    /// What changes the maths of any decoder and is not done here, whichever family carries it.
    func refuseForeign() throws {
        // Our own way of packing is read with the weights.
        let method: String? = try? nested("quantization_config")?.optional("quant_method")
        if method != "loam" { try refuse("quantization_config") }
        for name in [
            "add_cross_attention", "is_encoder_decoder", "pruned_heads", "clip_qkv", "alibi",
            "attn_logit_softcapping", "final_logit_softcapping", "query_pre_attn_scalar", "num_experts",
            "num_local_experts", "no_rope_layers", "use_mrope",
        ] {
            try refuse(name)
        }
        for name in [
            "partial_rotary_factor", "logit_scale", "logits_scaling", "embedding_multiplier", "residual_multiplier",
        ] {
            try refuse(name, except: .number(1))
        }
    }
}

/// Any value of a JSON file, to say what it was.
enum ConfigurationValue: Decodable, Hashable, CustomStringConvertible {
    case null
    case truth(Bool)
    case number(Double)
    case text(String)
    case list([ConfigurationValue])
    case object([String: ConfigurationValue])

    init(from decoder: any Swift.Decoder) throws {
        let box = try decoder.singleValueContainer()
        if box.decodeNil() {
            self = .null
        } else if let truth = try? box.decode(Bool.self) {
            self = .truth(truth)
        } else if let number = try? box.decode(Double.self) {
            self = .number(number)
        } else if let text = try? box.decode(String.self) {
            self = .text(text)
        } else if let list = try? box.decode([ConfigurationValue].self) {
            self = .list(list)
        } else {
            self = .object(try box.decode([String: ConfigurationValue].self))
        }
    }

    /// Says "not used".
    var isOff: Bool {
        switch self {
        case .null, .truth(false), .number(0): true
        case .list(let items): items.isEmpty
        case .object(let fields): fields.isEmpty
        case .truth(true), .number, .text: false
        }
    }

    /// At most some eighty characters.
    var description: String {
        let whole: String =
            switch self {
            case .null: "null"
            case .truth(let truth): "\(truth)"
            case .number(let number): number == number.rounded() && abs(number) < 1e15 ? "\(Int(number))" : "\(number)"
            case .text(let text): "“\(text)”"
            case .list(let items): "[" + items.prefix(9).map(\.description).joined(separator: ", ") + "]"
            case .object(let fields):
                "{"
                    + fields.sorted { $0.key < $1.key }.prefix(9).map { "\($0.key): \($0.value)" }
                    .joined(separator: ", ") + "}"
            }
        return whole.count > 80 ? whole.prefix(80) + "…" : whole
    }
}

/// Writes fields of `config.json` by their own names.
struct ConfigurationWriter {
    private var box: KeyedEncodingContainer<ConfigurationFields.Name>

    init(_ encoder: any Encoder) { box = encoder.container(keyedBy: ConfigurationFields.Name.self) }

    private init(box: KeyedEncodingContainer<ConfigurationFields.Name>) { self.box = box }

    mutating func write(_ name: String, _ value: some Encodable) throws {
        try box.encode(value, forKey: ConfigurationFields.Name(name))
    }

    /// Nothing when there is no value.
    mutating func writeIfPresent(_ name: String, _ value: (some Encodable)?) throws {
        try box.encodeIfPresent(value, forKey: ConfigurationFields.Name(name))
    }

    mutating func writeNull(_ name: String) throws { try box.encodeNil(forKey: ConfigurationFields.Name(name)) }

    /// One id as a number, several as a list, none not at all.
    mutating func writeIDs(_ name: String, _ ids: [Int]) throws {
        if ids.count == 1 { try write(name, ids[0]) }
        if ids.count > 1 { try write(name, ids) }
    }

    mutating func nested(_ name: String) -> ConfigurationWriter {
        ConfigurationWriter(
            box: box.nestedContainer(
                keyedBy: ConfigurationFields.Name.self, forKey: ConfigurationFields.Name(name)))
    }
}
