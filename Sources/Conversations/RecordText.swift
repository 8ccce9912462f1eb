/// The parts of a conversation as JSON text of their own, in the words of Loam's log: what a store keeps per row.
extension Message {
    /// The message as one JSON object; `userID` is the conversation's person, whose thumb BB3x's flags carry.
    public func jsonText(userID: String) -> [UInt8] {
        var writer = JSONWriter()
        ConversationEncoder.encode(self, user: userID, into: &writer)
        return writer.bytes
    }

    /// Reads what `jsonText(userID:)` wrote. Throws `LogError` that names the field.
    public init(jsonText bytes: [UInt8], userID: String) throws(LogError) {
        let value = try JSONValue(recordText: bytes)
        do throws(FieldError) {
            let decoder = RecordDecoder(format: .loam, fileName: "", consent: nil)
            var ids = MessageIDs()
            self = try CanonicalDecoder(isBB3x: false, decoder: decoder).message(
                from: value, path: "message", index: 0, user: userID, ids: &ids)
        } catch {
            throw LogError(error.code, file: "record", field: error.field, reason: error.reason)
        }
    }
}

extension Feedback {
    /// The feedback as one JSON object.
    public var jsonText: [UInt8] {
        var writer = JSONWriter()
        ConversationEncoder.encode(self, into: &writer)
        return writer.bytes
    }

    /// Reads what `jsonText` wrote. Throws `LogError` that names the field.
    public init(jsonText bytes: [UInt8]) throws(LogError) {
        let value = try JSONValue(recordText: bytes)
        do throws(FieldError) {
            self = try MessageFields.feedback(from: value, path: "feedback", user: "")
        } catch {
            throw LogError(error.code, file: "record", field: error.field, reason: error.reason)
        }
    }
}

extension JSONValue {
    fileprivate init(recordText bytes: [UInt8]) throws(LogError) {
        do throws(JSONError) {
            try self.init(parsing: bytes)
        } catch {
            throw LogError(.invalidJSON, file: "record", reason: error.description)
        }
    }
}
