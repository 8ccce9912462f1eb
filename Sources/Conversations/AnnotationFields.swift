/// BB3x's offline labels of a message: the verdicts of two safety layers, a reward model's sentence, crowdworkers' counts.
/// The release's card nests them under `annotations`; they also occur beside the text.
enum AnnotationFields {
    struct Labels {
        var safety: [SafetyDecision] = []
        var annotations: [Annotation] = []
        /// What stands in `annotations` and is not known.
        var rest: [String: JSONValue] = [:]
    }

    private static let names: Set<String> = ["safety", "reward", "mturk"]
    private static let layers: Set<String> = ["duo_safety", "string_matcher"]

    /// The exact lists `safety_decisions` and `labels` where they are, else what `annotations` amounts to.
    static func read(_ fields: inout RecordFields, isBB3x: Bool) throws(FieldError) -> Labels {
        var labels = Labels()
        var nested = try fields.object("annotations")
        if isBB3x { nested?.canonicalise(known: names) }
        for name in ["safety", "reward", "mturk"] {
            if nested?.value(name) != nil {
                if try !read(name, from: nested ?? fields, into: &labels, isBB3x: isBB3x) { nested?.keepBack(name) }
                if fields.value(name) != nil { fields.keepBack(name) }
            } else if fields.value(name) != nil {
                if try !read(name, from: fields, into: &labels, isBB3x: isBB3x) { fields.keepBack(name) }
            }
        }
        labels.rest = nested?.rest(known: names) ?? [:]
        if let list = try fields.array("safety_decisions") {
            labels.safety = []
            for (i, value) in list.enumerated() {
                let box = try RecordFields(value, path: fields.path("safety_decisions[\(i)]"))
                guard let layer = try box.string("layer") else { throw box.missing("layer") }
                guard let isUnsafe = try box.bool("unsafe") else { throw box.missing("unsafe") }
                labels.safety.append(
                    SafetyDecision(
                        layer: layer, isUnsafe: isUnsafe, category: try box.string("category"),
                        score: try box.number("score")))
            }
        }
        if let list = try fields.array("labels") {
            labels.annotations = []
            for (i, value) in list.enumerated() {
                let box = try RecordFields(value, path: fields.path("labels[\(i)]"))
                guard let source = try box.string("source") else { throw box.missing("source") }
                guard let label = try box.string("label") else { throw box.missing("label") }
                labels.annotations.append(Annotation(source: source, label: label, value: try box.number("value")))
            }
        }
        return labels
    }

    /// What an `annotations` object amounts to; `nil` when it cannot be read.
    static func read(_ object: [String: JSONValue]) -> Labels? {
        guard var fields = try? RecordFields(.object(["annotations": .object(object)]), path: "") else { return nil }
        return try? read(&fields, isBB3x: false)
    }

    /// Reads one of the three; false when it says nothing that can be understood and is to be kept as it came.
    private static func read(_ name: String, from fields: RecordFields, into labels: inout Labels, isBB3x: Bool)
        throws(FieldError) -> Bool
    {
        switch name {
        case "safety":
            guard var box = try fields.object("safety") else { return true }
            if isBB3x { box.canonicalise(known: layers) }
            for layer in box.names {
                guard let verdict = try box.string(layer) else { continue }
                labels.safety.append(safetyDecision(layer: layer, verdict: verdict))
            }
        case "mturk":
            guard let box = try fields.object("mturk") else { return true }
            for label in box.names {
                guard let count = try box.number(label) else { continue }
                labels.annotations.append(Annotation(source: "mturk", label: label, value: count))
            }
        default:
            guard case .string(let sentence) = fields.value("reward"), let label = reward(sentence) else {
                return false
            }
            labels.annotations.append(label)
        }
        return true
    }

    /// `__ok__` is safe and every other verdict is not, as in the release's own code; an unknown verdict is kept as the
    /// category.
    static func safetyDecision(layer: String, verdict: String) -> SafetyDecision {
        switch verdict {
        case "__ok__": SafetyDecision(layer: layer, isUnsafe: false)
        case "__notok__", "__not_ok__": SafetyDecision(layer: layer, isUnsafe: true)
        default: SafetyDecision(layer: layer, isUnsafe: true, category: verdict)
        }
    }

    /// The class and the probability in a reward model's sentence; `nil` when it names no class. Both spellings of "not
    /// ok" become `__not_ok__`.
    static func reward(_ sentence: String) -> Annotation? {
        var label: String?
        var value: Double?
        // Cut at white space and punctuation, byte by byte: this runs for every message of a release.
        for word in sentence.utf8.split(whereSeparator: isSeparator) {
            let word = word.last == UInt8(ascii: ".") ? word.dropLast() : word
            let text = Substring(word)
            switch text {
            case "__ok__": label = label ?? "__ok__"
            case "__not_ok__", "__notok__": label = label ?? "__not_ok__"
            default:
                // The last number of the sentence, with a point, a percent sign or an exponent.
                let isPercent = word.last == UInt8(ascii: "%")
                if let number = Double(isPercent ? text.dropLast() : text), number.isFinite {
                    value = isPercent ? number / 100 : number
                }
            }
        }
        return label.map { Annotation(source: "reward", label: $0, value: value) }
    }

    /// Whether a field `reward` names a class.
    static func isReward(_ value: JSONValue) -> Bool {
        guard case .string(let sentence) = value else { return false }
        return reward(sentence) != nil
    }

    private static func isSeparator(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "."), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "%"), UInt8(ascii: "_"): false
        case 0...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7F: true
        default: false
        }
    }

    /// What `annotations` can carry of a message's labels in BB3x's words; the keys that nothing knew come along.
    static func object(for message: Message) -> [String: JSONValue] {
        var object: [String: JSONValue] = [:]
        if case .object(let rest) = message.extra["annotations"] {
            object = rest
            // These two are always understood: under their names nothing is kept that is not.
            object["safety"] = nil
            object["mturk"] = nil
        }
        var safety: [String: JSONValue] = [:]
        for decision in message.safety where layers.contains(decision.layer) {
            safety[decision.layer] = .string(decision.category ?? (decision.isUnsafe ? "__notok__" : "__ok__"))
        }
        if !safety.isEmpty { object["safety"] = .object(safety) }
        var counts: [String: JSONValue] = [:]
        for annotation in message.annotations {
            switch (annotation.source, annotation.value) {
            case ("mturk", let value?) where value.isFinite: counts[annotation.label] = .number(value)
            case ("reward", let value)
            where ["__ok__", "__not_ok__"].contains(annotation.label) && object["reward"] == nil:
                let sentence = annotation.label + (value.map { " with probability \($0)" } ?? "")
                object["reward"] = .string(sentence)
            default: break
            }
        }
        if !counts.isEmpty { object["mturk"] = .object(counts) }
        return object
    }
}
