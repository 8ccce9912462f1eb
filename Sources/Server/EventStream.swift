import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// Server-sent events: a response that is written while its content is being made, and whose making stops when the
/// reader leaves.
enum EventStream {
    /// One event as it goes over the wire.
    struct Event: Sendable {
        var name: String?
        var data: String

        init(name: String? = nil, data: String) {
            self.name = name
            self.data = data
        }

        /// - Parameter value: written as one line of JSON, so that it needs no further escaping.
        init(name: String? = nil, json value: some Encodable) throws {
            self.init(name: name, data: String(decoding: try JSONBody.data(value), as: UTF8.self))
        }

        var bytes: ByteBuffer {
            ByteBuffer(string: (name.map { "event: \($0)\n" } ?? "") + "data: \(data)\n\n")
        }
    }

    /// - Parameters:
    ///   - request: its body must have been collected into it (`JSONBody.read`): Hummingbird's watch for a leaving client
    ///     never ends a body that was read elsewhere, and that traps.
    ///   - events: ends the response when it ends; it is cancelled when the client goes away. An error that it
    ///     throws becomes a last event made by `failure`.
    static func response<Events: AsyncSequence & Sendable>(
        to request: Request, _ events: Events, logger: Logger,
        failure: @escaping @Sendable (ServerError) throws -> Event
    ) -> Response where Events.Element == Event {
        var headers: HTTPFields = [
            .contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-store",
            // Watching for the client's leaving uses the connection up.
            .connection: "close",
        ]
        // Proxies that buffer would hold the pieces back.
        if let name = HTTPField.Name("X-Accel-Buffering") { headers[name] = "no" }
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody { writer in
                try await request.body.consumeWithCancellationOnInboundClose { _ in
                    var iterator = events.makeAsyncIterator()
                    while true {
                        // Only what fails in making events becomes one; what fails in writing is thrown on, since then
                        // nobody reads any more.
                        let event: Event?
                        do {
                            event = try await iterator.next()
                        } catch let error as CancellationError {
                            throw error
                        } catch {
                            return try await writer.write(failure(ServerError(of: error, logger: logger)).bytes)
                        }
                        guard let event else { return }
                        try await writer.write(event.bytes)
                    }
                }
                try await writer.finish(nil)
            })
    }
}

extension Request {
    /// Works on an answer for as long as somebody waits for it.
    ///
    /// The connection is used up by the watch, so the answer must say that it closes (`Response.closing`). The body must have
    /// been collected into the request, as `EventStream` needs it too.
    /// - Throws: `ServerError` whose answer closes the connection; 499 (as nginx logs it) when the client has left.
    func whileAwaited<Value: Sendable>(
        logger: Logger, _ work: @Sendable () async throws -> Value
    ) async throws -> Value {
        do {
            return try await body.consumeWithCancellationOnInboundClose { _ in try await work() }
        } catch {
            var fault =
                error is CancellationError
                ? ServerError(.init(code: 499, reasonPhrase: "Client Closed Request"), "The client has left.")
                : ServerError(of: error, logger: logger)
            fault.closesConnection = true
            throw fault
        }
    }
}

extension Response {
    /// The last answer on its connection.
    func closing() -> Response {
        var response = self
        response.headers[.connection] = "close"
        return response
    }
}
