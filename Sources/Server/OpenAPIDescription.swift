import Foundation
import HTTPTypes
import Hashing
import Hummingbird
import NIOCore

/// The description of the API that is served at `/openapi.json` (OpenAPI 3.1), read once from the file that ships.
///
/// `OpenAPITests` holds it to the routes that there are.
struct OpenAPIDescription: Sendable {
    let data: Data
    private let tag: String

    init() throws {
        data = try Data(contentsOf: PageFiles.bundled.appending(path: "openapi.json"))
        tag = "\"" + SHA256.hex(String(decoding: data, as: UTF8.self)).prefix(16) + "\""
    }

    func add(to router: Router<ServerContext>) {
        router.get("openapi.json") { [data, tag] request, _ in
            var headers: HTTPFields = [.eTag: tag, .cacheControl: "no-cache"]
            if request.headers[.ifNoneMatch] == tag { return Response(status: .notModified, headers: headers) }
            headers[.contentType] = "application/json; charset=utf-8"
            return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: data)))
        }
    }
}
