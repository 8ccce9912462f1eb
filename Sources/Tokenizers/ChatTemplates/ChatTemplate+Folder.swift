import Foundation

extension ChatTemplate {
    /// Reads the template of a Hugging Face model folder: `chat_template.jinja`, else `chat_template` in
    /// `tokenizer_config.json` (a text, or a list of `{"name", "template"}`), and with it the special tokens that
    /// `tokenizer_config.json` and `special_tokens_map.json` name.
    /// - Parameter variant: which of several templates, such as `tool_use` or `rag`; also looked for under
    ///   `additional_chat_templates`.
    /// - Throws: `ChatTemplateError`: `file` when the folder has no template, or none of that name.
    public init(folder: URL, variant: String = "default", limits: ChatTemplateLimits = .init()) throws {
        let configuration = try Self.json("tokenizer_config.json", in: folder)
        var tokens = TemplateObject()
        for file in [configuration, try Self.json("special_tokens_map.json", in: folder)] {
            guard case .object(let object)? = file else { continue }
            for entry in object.entries where entry.key.hasSuffix("_token") || entry.key == "additional_special_tokens"
            {
                if let token = Self.token(entry.value) { tokens[entry.key] = token }
            }
        }
        let (source, url) = try Self.source(variant, in: folder, configuration)
        try self.init(source: source, name: url.path, specialTokens: tokens, limits: limits)
    }

    /// Whether a folder has a template at all: base models have none.
    /// - Throws: `ChatTemplateError` for a configuration that cannot be read.
    public static func isPresent(in folder: URL) throws -> Bool {
        if FileManager.default.fileExists(atPath: folder.appendingPathComponent("chat_template.jinja").path) {
            return true
        }
        switch try json("tokenizer_config.json", in: folder)?["chat_template"] {
        case nil, .null?: return false
        default: return true
        }
    }

    private static func source(
        _ variant: String, in folder: URL, _ configuration: TemplateValue?
    ) throws -> (String, URL) {
        let url = folder.appendingPathComponent("tokenizer_config.json")
        let safe = !variant.isEmpty && !variant.contains("/") && !variant.hasPrefix(".")
        let path = variant == "default" ? "chat_template.jinja" : "additional_chat_templates/\(variant).jinja"
        if safe, let source = try text(path, in: folder) { return (source, folder.appendingPathComponent(path)) }
        switch configuration?["chat_template"] {
        case .string(let source)? where variant == "default": return (source, url)
        case .array(let variants)?:
            var names: [String] = []
            for item in variants {
                guard case .string(let name)? = item["name"], case .string(let source)? = item["template"] else {
                    throw ChatTemplateError(
                        .malformed, template: url.path, "chat_template: each item needs a \"name\" and a \"template\"")
                }
                if name == variant { return (source, url) }
                names.append(name)
            }
            throw ChatTemplateError(
                .file, template: url.path, "chat_template has no '\(variant)', only \(names.joined(separator: ", "))")
        case nil, .null?, .string?:
            throw ChatTemplateError(
                .file, template: folder.path,
                "has no chat template '\(variant)' (chat_template.jinja, or chat_template in tokenizer_config.json)")
        default:
            throw ChatTemplateError(.malformed, template: url.path, "chat_template is neither a text nor a list")
        }
    }

    /// A token is a text, or an object with its `content`.
    private static func token(_ value: TemplateValue) -> TemplateValue? {
        switch value {
        case .string(let text): .trusted(text)
        case .object(let object): object["content"].flatMap(token)
        case .array(let items): .array(items.compactMap(token))
        default: nil
        }
    }

    /// The largest configuration or template file that is read.
    private static let largestFile = 64_000_000

    private static func data(_ path: String, in folder: URL) throws -> Data? {
        let url = folder.appendingPathComponent(path)
        guard FileManager.default.fileExists(atPath: url.path) else { return nil }
        guard let handle = try? FileHandle(forReadingFrom: url) else {
            throw ChatTemplateError(.file, template: url.path, "cannot be read")
        }
        defer { try? handle.close() }
        guard let data = try? handle.read(upToCount: largestFile + 1) else { return Data() }
        guard data.count <= largestFile else {
            throw ChatTemplateError(.limit, template: url.path, "is larger than \(largestFile) bytes")
        }
        return data
    }

    private static func text(_ path: String, in folder: URL) throws -> String? {
        guard let data = try data(path, in: folder) else { return nil }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw ChatTemplateError(.malformed, template: folder.appendingPathComponent(path).path, "is not UTF-8")
        }
        return text
    }

    private static func json(_ path: String, in folder: URL) throws -> TemplateValue? {
        try data(path, in: folder).map {
            try TemplateValue(json: $0, name: folder.appendingPathComponent(path).path)
        }
    }
}
