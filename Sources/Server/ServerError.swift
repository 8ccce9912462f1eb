import Foundation
import HTTPTypes
import Hummingbird

/// A request that cannot be answered as asked, in the shape that OpenAI's clients read:
/// `{"error":{"message","type","param","code"}}`.
public struct ServerError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The HTTP status.
    public var status: HTTPResponse.Status
    /// For people; never holds what a person or a model wrote.
    public var message: String
    /// `invalid_request_error`, `rate_limit_exceeded`, `server_error`, …
    public var type: String
    /// The field at fault.
    public var param: String?
    /// A short code for programs.
    public var code: String?
    /// Seconds after which it is worth trying again.
    public var retryAfter: Int?
    /// Methods that the path has, for 405.
    var allow: [String] = []
    /// Whether this is the last answer on its connection.
    var closesConnection = false

    public init(
        _ status: HTTPResponse.Status, _ message: String, type: String = "invalid_request_error", param: String? = nil,
        code: String? = nil, retryAfter: Int? = nil
    ) {
        self.status = status
        self.message = message
        self.type = type
        self.param = param
        self.code = code
        self.retryAfter = retryAfter
    }

    public var description: String { "\(status.code) \(code ?? type): \(message)" }

    /// A value of a field that cannot be.
    static func invalid(_ param: String, _ message: String) -> ServerError {
        ServerError(.badRequest, message, param: param, code: "invalid_value")
    }

    /// The same answer for what does not exist and for what belongs to somebody else, so that ids cannot be tried out.
    static func notFound(_ what: String) -> ServerError {
        ServerError(.notFound, "There is no such \(what).", code: "\(what)_not_found")
    }

    /// The model is not there yet.
    static func unavailable(_ message: String, code: String, retryAfter: Int) -> ServerError {
        ServerError(.serviceUnavailable, message, type: "server_error", code: code, retryAfter: retryAfter)
    }

    static let loading = unavailable("The model is still loading.", code: "model_loading", retryAfter: 3)

    static let unknownModel = ServerError(
        .notFound, "The model does not exist; GET /v1/models lists what is served.", param: "model",
        code: "model_not_found")

    /// Nothing here does what the route is for.
    static let noModel = ServerError(
        .notFound, "This server has no model for this; GET /v1/models lists what is served.", param: "model",
        code: "model_not_found")

    static func unsupported(_ param: String, _ message: String? = nil) -> ServerError {
        ServerError(
            .badRequest, message ?? "'\(param)' is not supported by this server.", param: param,
            code: "unsupported_parameter")
    }

    static func tooMany(retryAfter: Int) -> ServerError {
        ServerError(
            .tooManyRequests, "Too many requests; try again in \(retryAfter) s.", type: "rate_limit_exceeded",
            code: "rate_limit_exceeded", retryAfter: retryAfter)
    }

    /// As many replies are being written, or wait, as there is room for.
    static func full(retryAfter: Int) -> ServerError {
        ServerError(
            .tooManyRequests, "Too many people are talking right now; try again in \(retryAfter) s.",
            type: "rate_limit_exceeded", code: "rate_limit_exceeded", retryAfter: retryAfter)
    }

    /// Two replies wait for the person's choice.
    static let chooseFirst = ServerError(
        .conflict, "Please choose one of the two replies first.", code: "choose_first")

    static let unexpected = ServerError(
        .internalServerError, "Something went wrong on our side.", type: "server_error", code: "internal_error")
}

extension ServerError: HTTPResponseError {
    /// The body that clients read; also what a stream sends when it must end early.
    struct Body: Codable, Sendable, Hashable {
        struct Detail: Codable, Sendable, Hashable {
            var message: String
            var type: String
            var param: String?
            var code: String?

            func encode(to encoder: any Encoder) throws {
                // Absent fields are written as null: OpenAI's clients look for all four.
                var box = encoder.container(keyedBy: CodingKeys.self)
                try box.encode(message, forKey: .message)
                try box.encode(type, forKey: .type)
                try box.encode(param, forKey: .param)
                try box.encode(code, forKey: .code)
            }
        }
        var error: Detail
    }

    var body: Body { Body(error: .init(message: message, type: type, param: param, code: code)) }

    public func response(from request: Request, context: some RequestContext) throws -> Response {
        var response = try JSONBody.response(body, status: status)
        if let retryAfter { response.headers[.retryAfter] = String(retryAfter) }
        if !allow.isEmpty { response.headers[.allow] = allow.joined(separator: ", ") }
        if closesConnection { response.headers[.connection] = "close" }
        if status == .unauthorized { response.headers[.wwwAuthenticate] = "Bearer" }
        return response
    }
}
