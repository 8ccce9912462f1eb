import Foundation
import HTTPTypes
import Hashing
import Hummingbird
import NIOCore

/// The page and its script and style, read once from the folder they are shipped in.
struct PageFiles: Sendable {
    private struct File: Sendable {
        var path: String
        var type: String
        var bytes: ByteBuffer
        var tag: String
    }
    private let files: [File]

    /// The person's page: where each file is served, its name, and its type.
    static let page: [(path: String, name: String, type: String)] =
        [("/", "index.html", "text/html; charset=utf-8"), ("/style.css", "style.css", "text/css; charset=utf-8")]
        + ["app", "conversation", "dom", "inside", "memory", "owndata", "server", "talk", "turn", "votes"].map {
            ("/\($0).js", "\($0).js", "text/javascript; charset=utf-8")
        }

    /// - Parameters:
    ///   - folder: holds the files.
    ///   - names: which ones, and where they are served.
    init(folder: URL, _ names: [(path: String, name: String, type: String)] = PageFiles.page) throws {
        files = try names.map { path, name, type in
            let data = try Data(contentsOf: folder.appending(path: name))
            let tag = "\"" + SHA256.hex(String(decoding: data, as: UTF8.self)).prefix(16) + "\""
            return File(path: path, type: type, bytes: ByteBuffer(bytes: data), tag: tag)
        }
    }

    /// The folder that is built into the program.
    static var bundled: URL { Bundle.module.bundleURL.appending(path: "Resources") }

    /// - Parameter isOpen: whether they are there to be had; else they are 404 like anything that does not exist.
    func add(to router: Router<ServerContext>, if isOpen: @escaping @Sendable () async throws -> Bool = { true }) {
        for file in files {
            router.get(RouterPath(file.path)) { request, _ in
                guard try await isOpen() else { throw HTTPError(.notFound) }
                var headers: HTTPFields = [.eTag: file.tag, .cacheControl: "no-cache"]
                if request.headers[.ifNoneMatch] == file.tag { return Response(status: .notModified, headers: headers) }
                headers[.contentType] = file.type
                return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: file.bytes))
            }
        }
    }
}
