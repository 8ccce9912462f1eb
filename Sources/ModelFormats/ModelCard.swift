import Foundation

/// A model's `README.md`: a YAML head that hubs read, then Markdown for people.
public struct ModelCard: Sendable, Hashable {
    /// The card's title.
    public var name: String
    /// SPDX id in lower case, `apache-2.0` say.
    public var license: String?
    /// Language codes.
    public var languages: [String]
    /// The model that this one was trained from.
    public var baseModel: String?
    public var datasets: [String]
    public var tags: [String]
    /// `transformers`, as the folder loads there.
    public var library: String?
    /// What it does: `text-generation`, `text-classification`, ….
    public var task: String?
    /// The first paragraph.
    public var summary: String
    /// A table of what made the model and what was measured: name and value, in order.
    public var facts: [Fact]
    /// Further parts of the text, in order.
    public var sections: [Section]

    /// A row of the table.
    public struct Fact: Sendable, Hashable {
        public var name: String
        public var value: String

        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// A heading with its Markdown.
    public struct Section: Sendable, Hashable {
        public var title: String
        public var text: String

        public init(_ title: String, _ text: String) {
            self.title = title
            self.text = text
        }
    }

    public init(
        name: String, license: String? = nil, languages: [String] = [], baseModel: String? = nil,
        datasets: [String] = [], tags: [String] = [], library: String? = nil, task: String? = nil,
        summary: String = "", facts: [Fact] = [], sections: [Section] = []
    ) {
        self.name = name
        self.license = license
        self.languages = languages
        self.baseModel = baseModel
        self.datasets = datasets
        self.tags = tags
        self.library = library
        self.task = task
        self.summary = summary
        self.facts = facts
        self.sections = sections
    }

    /// The whole file.
    public var markdown: String {
        var lines = ["---"]
        func single(_ key: String, _ value: String?) {
            if let value { lines.append("\(key): \(Self.scalar(value))") }
        }
        func list(_ key: String, _ values: [String]) {
            guard !values.isEmpty else { return }
            lines.append("\(key):")
            lines += values.map { "- \(Self.scalar($0))" }
        }
        single("license", license)
        list("language", languages)
        single("library_name", library)
        single("pipeline_tag", task)
        single("base_model", baseModel)
        list("datasets", datasets)
        list("tags", tags)
        if lines.count == 1 { lines = [] } else { lines += ["---", ""] }
        lines += ["# \(Self.oneLine(name))"]
        if !summary.isEmpty { lines += ["", summary] }
        if !facts.isEmpty {
            lines += ["", "| | |", "| --- | --- |"]
            lines += facts.map { "| \(Self.cell($0.name)) | \(Self.cell($0.value)) |" }
        }
        for section in sections { lines += ["", "## \(Self.oneLine(section.title))", "", section.text] }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Writes `README.md` into a model folder.
    public func write(to folder: ModelFolder) throws { try folder.write(Data(markdown.utf8), to: "README.md") }

    /// A YAML scalar. Anything but a plain word is quoted, so that `no`, `1e3` or `a: b` stay the text that they are.
    private static func scalar(_ text: String) -> String {
        let first = text.unicodeScalars.first
        let isPlain =
            first.map { ("a"..."z").contains($0) || ("A"..."Z").contains($0) } == true
            && text.unicodeScalars.allSatisfy { scalar in
                scalar.isASCII
                    && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
                        || "-_./".unicodeScalars.contains(scalar))
            } && !["y", "n", "yes", "no", "on", "off", "true", "false", "null"].contains(text.lowercased())
        if isPlain { return text }
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\t": quoted += "\\t"
            case "\r": quoted += "\\r"
            case "\u{0}"..<"\u{20}", "\u{7F}"..<"\u{A0}", "\u{2028}", "\u{2029}", "\u{FEFF}":
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    private static func oneLine(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).joined(separator: " ")
    }

    private static func cell(_ text: String) -> String {
        oneLine(text).replacingOccurrences(of: "|", with: "\\|")
    }
}
