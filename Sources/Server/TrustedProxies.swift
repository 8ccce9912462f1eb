import Foundation
import HTTPTypes
import Hummingbird

/// The proxies whose word on a client's address is believed.
public struct TrustedProxies: Sendable, Hashable {
    private let networks: [AddressRange]

    /// None: a request comes from the address of its connection.
    public init() { networks = [] }

    /// - Parameter list: addresses (`10.0.0.7`, `::1`) and networks (`10.0.0.0/8`).
    /// - Throws: `ServerSetupFault` that names the one that is neither.
    public init(_ list: [String]) throws {
        networks = try list.map { text in
            guard let range = AddressRange(text) else {
                throw ServerSetupFault("--trusted-proxy: \"\(text)\" is no address and no network")
            }
            return range
        }
    }

    /// Whose request it is.
    /// - Parameters:
    ///   - address: the connection's.
    ///   - forwarded: the values of `X-Forwarded-For`, in order.
    /// - Returns: the last address in the chain that is not one of our proxies: what is before it was written by whoever
    ///   sent it.
    func client(address: String, forwarded: [String]) -> String {
        guard contains(address) else { return address }
        let chain = forwarded.flatMap { $0.split(separator: ",") }.map { Self.bare(String($0)) }
        var client = address
        for hop in chain.reversed() {
            guard AddressRange(hop) != nil else { break }
            client = hop
            if !contains(hop) { break }
        }
        return client
    }

    func contains(_ address: String) -> Bool { networks.contains { $0.contains(address) } }

    /// An address without white space, brackets and port.
    static func bare(_ text: String) -> String {
        let text = text.trimmingCharacters(in: .whitespaces)
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            return String(text[text.index(after: text.startIndex)..<end])
        }
        let colons = text.count { $0 == ":" }
        return colons == 1 ? String(text.prefix { $0 != ":" }) : text
    }
}

/// An address or a network of addresses, IPv4 or IPv6.
struct AddressRange: Sendable, Hashable {
    private let bytes: [UInt8]
    private let length: Int

    init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let first = parts.first, parts.count <= 2, let bytes = Self.bytes(of: String(first)) else { return nil }
        var length = bytes.count * 8
        if parts.count == 2 {
            guard let given = Int(parts[1]), (0...length).contains(given) else { return nil }
            length = given
        }
        self.bytes = bytes
        self.length = length
    }

    func contains(_ address: String) -> Bool {
        guard let other = Self.bytes(of: address), other.count == bytes.count else { return false }
        return (0..<length).allSatisfy { bit in
            let mask = UInt8(0x80) >> UInt8(bit % 8)
            return bytes[bit / 8] & mask == other[bit / 8] & mask
        }
    }

    /// What a client's address counts as where requests are bounded: an IPv4 address as itself, also within IPv6; of an IPv6 address
    /// its first 64 bits, all of whose addresses one client may use. What is no address counts as itself.
    static func network(of address: String) -> String {
        // A zone ("%eth0") is this machine's own word.
        guard let bytes = Self.bytes(of: String(address.prefix { $0 != "%" })) else { return address }
        if bytes.count == 4 { return bytes.map { String($0) }.joined(separator: ".") }
        let groups = stride(from: 0, to: 8, by: 2).map { place in
            String(UInt16(bytes[place]) << 8 | UInt16(bytes[place + 1]), radix: 16)
        }
        return groups.joined(separator: ":") + "::/64"
    }

    /// Whether an address is this machine's own.
    static func isLoopback(_ address: String) -> Bool {
        ["127.0.0.0/8", "::1"].contains { AddressRange($0)?.contains(address) == true }
    }

    /// An IPv4 address within IPv6 (`::ffff:10.0.0.1`) counts as what it is.
    private static func bytes(of text: String) -> [UInt8]? {
        var four = [UInt8](repeating: 0, count: 4)
        if inet_pton(AF_INET, text, &four) == 1 { return four }
        var bytes = [UInt8](repeating: 0, count: 16)
        guard inet_pton(AF_INET6, text, &bytes) == 1 else { return nil }
        let mapped: [UInt8] = Array(repeating: 0, count: 10) + [0xFF, 0xFF]
        return bytes.starts(with: mapped) ? Array(bytes.suffix(4)) : bytes
    }
}

/// Finds out whose request it is, before anything counts by address.
struct ClientAddress: RouterMiddleware {
    typealias Context = ServerContext

    let proxies: TrustedProxies

    func handle(
        _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        let names = ["X-Forwarded-For", "Forwarded", "X-Real-IP"].compactMap { HTTPField.Name($0) }
        context.isForwarded = names.contains { request.headers[$0] != nil }
        if let name = HTTPField.Name("X-Forwarded-For"), let connection = context.remoteAddress?.ipAddress {
            context.address = proxies.client(address: connection, forwarded: request.headers[values: name])
        }
        return try await next(request, context)
    }
}
