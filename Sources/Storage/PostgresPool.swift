import Dispatch
import Foundation
import Synchronization

/// A few connections to one server, lent to one task each. The waiting that libpq does happens on threads of its own.
final class PostgresPool: Sendable {
    private struct State {
        var idle: [PostgresConnection] = []
        /// Connections that are lent or idle.
        var open = 0
        /// Given a connection, or `nil` for leave to make one.
        var waiters: [CheckedContinuation<PostgresConnection?, Never>] = []
    }

    private let address: String
    private let limit: Int
    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "loam.postgres", attributes: .concurrent)

    init(address: String, limit: Int) {
        self.address = address
        self.limit = max(1, limit)
    }

    /// Runs a transaction. A connection that turns out to be broken before anything was done is replaced; one that breaks
    /// later makes the transaction fail.
    func transaction<R: Sendable>(
        writing: Bool, _ body: @escaping @Sendable (PostgresConnection) throws -> R
    ) async throws -> R {
        let lent = await acquire()
        return try await withCheckedThrowingContinuation { continuation in
            queue.async { [self] in
                var connection = lent
                let result = Result { () throws -> R in
                    let ready = try begin(connection, writing: writing)
                    connection = ready
                    do {
                        let value = try body(ready)
                        try ready.commit()
                        return value
                    } catch {
                        if (error as? PostgresError)?.isDisconnection == true {
                            connection = nil
                        } else {
                            ready.rollback()
                        }
                        throw error
                    }
                }
                release(connection?.isAlive == true ? connection : nil)
                continuation.resume(with: result)
            }
        }
    }

    /// Begins on the connection that is there, else on a new one; while the server starts, asks again for some seconds.
    private func begin(_ old: PostgresConnection?, writing: Bool) throws -> PostgresConnection {
        var wasThere = old != nil
        if let old {
            do {
                try old.begin(writing: writing)
                return old
            } catch let error as PostgresError where error.isDisconnection {
                // Nothing was done on it yet.
            }
        }
        var attempts = 0
        while true {
            do {
                let new = try PostgresConnection(address: address)
                try new.begin(writing: writing)
                return new
            } catch let error as PostgresError where error.isDisconnection {
                attempts += 1
                // One that was never there may well be a wrong address: said at once, but for a server that is starting.
                wasThere = wasThere || error.message.contains("starting up")
                guard wasThere, attempts < 50 else { throw error }
                Thread.sleep(forTimeInterval: 0.1)
            }
        }
    }

    private func acquire() async -> PostgresConnection? {
        await withCheckedContinuation { continuation in
            let ready: PostgresConnection?? = state.withLock { state in
                if let idle = state.idle.popLast() { return .some(idle) }
                if state.open < limit {
                    state.open += 1
                    return .some(nil)
                }
                state.waiters.append(continuation)
                return nil
            }
            if let ready { continuation.resume(returning: ready) }
        }
    }

    private func release(_ connection: PostgresConnection?) {
        let waiter = state.withLock { state -> CheckedContinuation<PostgresConnection?, Never>? in
            if !state.waiters.isEmpty { return state.waiters.removeFirst() }
            if let connection { state.idle.append(connection) } else { state.open -= 1 }
            return nil
        }
        waiter?.resume(returning: connection)
    }
}
