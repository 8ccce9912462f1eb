import Conversations

@testable import Deidentification

enum Samples {
    /// Read once: the lists are the same for every test.
    static let lexicon = Result { try Lexicon() }

    static func deidentifier(_ key: UInt8 = 7, _ operators: OperatorTable = .init()) throws -> Deidentifier {
        try Deidentifier(key: Samples.key(key), operators: operators, lexicon: lexicon.get())
    }

    static func key(_ byte: UInt8 = 7) throws -> DeidentificationKey {
        try DeidentificationKey(bytes: [UInt8](repeating: byte, count: 32))
    }

    static func conversation(_ id: String = "c1", _ texts: [(Sender, String)]) -> Conversation {
        Conversation(
            id: id, userID: "u1",
            messages: texts.enumerated().map { Message(id: "m\($0.offset)", sender: $0.element.0, text: $0.element.1) })
    }
}

/// Found texts by kind, for short expectations: `PERSON Anna Berg`.
func found(_ text: String) throws -> [String] {
    let bytes = Array(text.utf8)
    return try Samples.deidentifier().findings(in: text).map {
        $0.entity.rawValue + " " + String(decoding: bytes[$0.range], as: UTF8.self)
    }
}
