import Foundation

/// A value of a tokenizer's file with the path that leads to it, so that every error can name both.
struct JSONField {
    let file: String
    let path: String
    /// `nil` when the file does not say.
    let value: JSONValue?

    /// Larger files are refused: the largest published `tokenizer.json` has about 35 MB.
    private static let largestFile = 256 << 20

    /// The whole of a JSON file.
    /// - Throws: `TokenizersError`.
    static func read(_ url: URL) throws -> JSONField {
        let data = try bytes(of: url)
        do {
            return JSONField(file: url.path, path: "", value: try JSONDocument(data).root)
        } catch let fault as JSONDocument.Fault {
            throw TokenizersError(
                .malformed, file: url.path, "is not valid JSON: byte \(fault.offset) \(fault.message)")
        }
    }

    /// The bytes of a file that is not larger than it should be.
    static func bytes(of url: URL) throws -> [UInt8] {
        do {
            let size = try url.resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0
            guard size <= largestFile else {
                throw TokenizersError(.unsupported, file: url.path, "has \(size) bytes, more than \(largestFile)")
            }
            return [UInt8](try Data(contentsOf: url))
        } catch let error as TokenizersError {
            throw error
        } catch {
            throw TokenizersError(.file, file: url.path, "cannot be read")
        }
    }

    func fault(_ code: TokenizersError.Code, _ message: String) -> TokenizersError {
        TokenizersError(code, file: file, path.isEmpty ? message : "\(path): \(message)")
    }

    /// The member of this name.
    subscript(name: String) -> JSONField {
        JSONField(file: file, path: path.isEmpty ? name : path + "." + name, value: value?[name])
    }

    /// Not in the file, or `null`.
    var isAbsent: Bool { value?.isNull ?? true }

    private func present() throws -> JSONValue {
        guard let value, !value.isNull else { throw fault(.malformed, "is missing") }
        return value
    }

    func utf8() throws -> [UInt8] {
        guard let result = try present().utf8 else { throw fault(.malformed, "should be a string") }
        return result
    }

    func string() throws -> String { String(decoding: try utf8(), as: UTF8.self) }

    func bool() throws -> Bool {
        guard let result = try present().bool else { throw fault(.malformed, "should be true or false") }
        return result
    }

    func bool(default fallback: Bool) throws -> Bool { isAbsent ? fallback : try bool() }

    /// A whole number of at least 0, not beyond `limit`.
    func int(below limit: Int = 1 << 31) throws -> Int {
        guard let result = try present().int else { throw fault(.malformed, "should be a whole number") }
        guard (0..<limit).contains(result) else { throw fault(.malformed, "\(result) is out of range") }
        return result
    }

    /// One character.
    func scalar() throws -> Unicode.Scalar {
        let text = try string().unicodeScalars
        guard text.count == 1, let first = text.first else { throw fault(.malformed, "should be one character") }
        return first
    }

    func double() throws -> Double {
        guard let result = try present().double else { throw fault(.malformed, "should be a number") }
        return result
    }

    /// The elements of an array, at most `limit`.
    func elements(limit: Int) throws -> [JSONField] {
        let list = try array(limit: limit)
        var result: [JSONField] = []
        result.reserveCapacity(list.count)
        list.forEachElement {
            result.append(JSONField(file: file, path: "\(path)[\(result.count)]", value: $0))
        }
        return result
    }

    /// An array of at most `limit` elements, for a list too long to give each a path.
    func array(limit: Int) throws -> JSONValue {
        let value = try present()
        guard value.kind == .array else { throw fault(.malformed, "should be a list") }
        guard value.count <= limit else { throw fault(.unsupported, "has \(value.count) entries, more than \(limit)") }
        return value
    }

    /// An object of at most `limit` members.
    func object(limit: Int) throws -> JSONValue {
        let value = try present()
        guard value.kind == .object else { throw fault(.malformed, "should be an object") }
        guard value.count <= limit else { throw fault(.unsupported, "has \(value.count) members, more than \(limit)") }
        return value
    }

    /// The `type` of a part.
    func type() throws -> String { try self["type"].string() }
}
