import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// JSON in and out, with answers that name the field at fault.
enum JSONBody {
    static func encoder() -> JSONEncoder {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }

    static func data(_ value: some Encodable) throws -> Data { try encoder().encode(value) }

    static func response(_ value: some Encodable, status: HTTPResponse.Status = .ok) throws -> Response {
        Response(
            status: status,
            headers: [.contentType: "application/json; charset=utf-8", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: try data(value))))
    }

    /// Reads a JSON body of at most `limit` bytes.
    ///
    /// Only `application/json` is taken: a form on a foreign page cannot send that without the browser asking first, so
    /// nobody can be made to post here unawares.
    /// - Parameter request: keeps the body it was read from, as `EventStream` needs it.
    static func read<Value: Decodable>(
        _ type: Value.Type, from request: inout Request, limit: Int
    ) async throws -> Value {
        let mediaType = request.headers[.contentType]?.split(separator: ";").first?.trimmingCharacters(in: .whitespaces)
        guard mediaType?.lowercased() == "application/json" else {
            throw ServerError(
                .unsupportedMediaType, "Send the body as application/json.", param: "content-type",
                code: "unsupported_media_type")
        }
        let tooLarge = ServerError(
            .contentTooLarge, "The body is larger than \(limit) bytes.", code: "body_too_large")
        if let length = request.headers[.contentLength].flatMap(Int.init), length > limit { throw tooLarge }
        let buffer: ByteBuffer
        do { buffer = try await request.collectBody(upTo: limit) } catch is NIOTooManyBytesError { throw tooLarge }
        do {
            return try JSONDecoder().decode(type, from: Data(buffer.readableBytesView))
        } catch let error as DecodingError {
            throw fault(error)
        }
    }

    /// Says which field is wrong and how, without repeating what was sent.
    static func fault(_ error: DecodingError) -> ServerError {
        func name(_ path: [any CodingKey]) -> String {
            path.map { $0.intValue.map { "[\($0)]" } ?? ".\($0.stringValue)" }.joined()
                .trimmingCharacters(in: ["."])
        }
        switch error {
        case .keyNotFound(let key, let context):
            let field = name(context.codingPath + [key])
            return ServerError(.badRequest, "'\(field)' is missing.", param: field, code: "missing_field")
        case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
            let field = name(context.codingPath)
            return .invalid(field, field.isEmpty ? "The body must be an object." : "'\(field)' must be \(word(type)).")
        case .dataCorrupted(let context) where !context.codingPath.isEmpty:
            let field = name(context.codingPath)
            return .invalid(field, "'\(field)' has a value that is not allowed.")
        default:
            return ServerError(.badRequest, "The body is not valid JSON.", code: "invalid_json")
        }
    }

    private static func word(_ type: any Any.Type) -> String {
        switch type {
        case is String.Type: "a string"
        case is Bool.Type: "true or false"
        case is Int.Type, is UInt64.Type: "a whole number"
        case is Double.Type, is Float.Type: "a number"
        default: String(describing: type).hasPrefix("Array") ? "a list" : "of another type"
        }
    }
}
