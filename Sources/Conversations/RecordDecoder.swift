import Foundation

/// Turns a parsed record of any format into a conversation.
struct RecordDecoder {
    let format: LogFormat
    /// Last part of the file's path, kept as the conversation's source.
    let fileName: String
    /// What the operator says of consent.
    let consent: Consent?

    /// `bytes` is the record as it came: ids are made from it where the log has none.
    func conversation(from value: JSONValue, bytes: [UInt8]) throws(FieldError) -> Conversation {
        switch format {
        case .loam: try CanonicalDecoder(isBB3x: false, decoder: self).conversation(from: value, bytes: bytes)
        case .bb3x: try CanonicalDecoder(isBB3x: true, decoder: self).conversation(from: value, bytes: bytes)
        case .convai2: try ConvAI2Decoder(decoder: self).conversation(from: value, bytes: bytes)
        case .parlai: try ParlAIDecoder(decoder: self).conversation(from: value, bytes: bytes)
        case .shareGPT, .openAI: try ChatDecoder(decoder: self).conversation(from: value, bytes: bytes)
        case .openWebUI: try OpenWebUIDecoder(decoder: self).conversation(from: value, bytes: bytes)
        case .fastChat: try ArenaDecoder(decoder: self).conversation(from: value, bytes: bytes)
        }
    }

    /// Consent as the log says it, else as the operator does, else as the format's rule does; the operator's word
    /// narrows the log's and never widens it.
    func consent(said: Consent?) -> Consent {
        guard let said else { return consent ?? format.defaultConsent }
        return consent.map { min($0, said) } ?? said
    }

    /// Where a conversation of another's format came from.
    var source: String { "\(format.rawValue):\(fileName)" }

    /// A user id where the log names nobody: each conversation then counts as a person of its own.
    static func anonymousUser(of conversationID: String) -> String { "anonymous-\(conversationID)" }
}

/// Ids of one conversation's messages: made where the log has none, told apart where it repeats one. The same log always
/// gives the same ids.
struct MessageIDs {
    private var taken: Set<String> = []

    mutating func id(_ given: String?, index: Int) -> String {
        let wanted = given ?? "m\(index)"
        var id = wanted
        var number = 2
        while !taken.insert(id).inserted {
            id = "\(wanted)-\(number)"
            number += 1
        }
        return id
    }
}
