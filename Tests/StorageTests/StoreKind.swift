import Foundation
import Storage
import Synchronization
import Testing

/// The stores that have to behave the same.
enum StoreKind: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case sqlite, postgres

    /// Those that can be tried here; the other one's absence is a skipped test with a name.
    static var present: [StoreKind] { allCases.filter { $0 == .sqlite || PostgresServer.programs != nil } }

    var testDescription: String { rawValue }
}

/// A store of either kind that goes with the value, and a clock that the test moves.
final class StoreBench: Sendable {
    let kind: StoreKind
    let folder: StoreFolder
    let address: String

    init(_ kind: StoreKind) throws {
        self.kind = kind
        folder = try StoreFolder()
        switch kind {
        case .sqlite: address = folder.file.path
        case .postgres: address = try #require(PostgresServer.shared).address()
        }
    }

    /// Opens the store; every call is another process as far as the database can tell.
    func open() async throws -> any SQLStore {
        let folder = folder
        return switch kind {
        case .sqlite: try folder.store()
        case .postgres: try await PostgresStore(at: address, now: { folder.now })
        }
    }

    var now: Date { folder.now }
    func advance(_ seconds: Double) { folder.advance(seconds) }
}
