import Dialogue
import Generation
import HTTPTypes
import Hummingbird
import Logging
import Storage

/// Gives every error that leaves a route the one shape.
struct ErrorShape<Context: RequestContext>: RouterMiddleware {
    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch {
            throw ServerError(of: error, logger: context.logger)
        }
    }
}

extension ServerError {
    /// What a client is told of an error. What was not expected is logged, by its type only: an error's text could quote
    /// what a person wrote. (A store's error never does, so it is logged whole.)
    init(of error: any Error, logger: Logger) {
        switch error {
        case let error as ServerError: self = error
        case let error as HTTPError:
            self.init(
                error.status, error.body ?? error.status.reasonPhrase,
                type: error.status.code < 500 ? "invalid_request_error" : "server_error",
                code: error.status == .notFound ? "not_found" : nil)
        case let error as any HTTPResponseError: self.init(error.status, error.status.reasonPhrase)
        case let error as GenerationError: self.init(of: error, logger: logger)
        case let error as any WriterFault:
            logger.error("the model's engine failed", metadata: ["error": "\(error)"])
            self =
                error.isPassing
                ? .unavailable("The model cannot be reached just now.", code: "engine_unavailable", retryAfter: 5)
                : .unexpected
        case is CancellationError:
            self = .unavailable("The server is stopping.", code: "stopping", retryAfter: 5)
        case let error as StorageError:
            logger.error("store failed", metadata: ["error": "\(error)"])
            self =
                error.code == .locked
                ? .unavailable("The store is busy.", code: "store_busy", retryAfter: 2) : .unexpected
        default:
            logger.error("request failed", metadata: ["error": "\(Swift.type(of: error))"])
            self = .unexpected
        }
    }

    /// What a generator could not do. Its messages are about numbers and settings, never about what was said.
    private init(of error: GenerationError, logger: Logger) {
        switch error.code {
        case .busy: self = .full(retryAfter: error.retryAfter ?? 1)
        case .promptTooLong:
            self.init(.badRequest, error.message, param: "messages", code: "context_length_exceeded")
        case .setting: self.init(.badRequest, error.message, code: "invalid_value")
        case .mismatch, .notFinite, .nothingLeft:
            logger.error("generation failed", metadata: ["error": "\(error)"])
            self = .unexpected
        }
    }
}
