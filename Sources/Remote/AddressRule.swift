import Foundation

/// Which addresses may be asked: none inside the house unless it is said so. A search result or a redirect must not make
/// the bot fetch the operator's own services (server-side request forgery).
public struct AddressRule: Sendable, Hashable {
    /// Loopback, private, link-local and the like are allowed too: for a search server of one's own.
    public var allowsPrivate: Bool

    public init(allowsPrivate: Bool = false) { self.allowsPrivate = allowsPrivate }

    /// Whether a numeric address may be asked. What cannot be read as one may not.
    public func allows(_ address: String) -> Bool {
        guard let bytes = Self.bytes(of: address) else { return false }
        return allowsPrivate || Self.isPublic(bytes)
    }

    /// 4 or 16 bytes of a numeric address.
    static func bytes(of address: String) -> [UInt8]? {
        // A scope (`fe80::1%eth0`) names an interface, and brackets are a URL's.
        var text = address.trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
        if let scope = text.firstIndex(of: "%") { text = String(text[..<scope]) }
        var four = in_addr()
        if inet_pton(AF_INET, text, &four) == 1 { return withUnsafeBytes(of: four) { Array($0) } }
        var six = in6_addr()
        if inet_pton(AF_INET6, text, &six) == 1 { return withUnsafeBytes(of: six) { Array($0) } }
        return nil
    }

    /// By the registries of special-purpose addresses (IANA, RFC 6890 and its successors).
    static func isPublic(_ bytes: [UInt8]) -> Bool {
        if bytes.count == 4 { return isPublic4(bytes) }
        guard bytes.count == 16 else { return false }
        // An IPv4 address inside: mapped, compatible, NAT64, 6to4.
        if bytes.prefix(10).allSatisfy({ $0 == 0 }), bytes[10] == 0xFF, bytes[11] == 0xFF {
            return isPublic4(Array(bytes[12...]))
        }
        if bytes.starts(with: [0x00, 0x64, 0xFF, 0x9B]) { return isPublic4(Array(bytes[12...])) }
        if bytes.starts(with: [0x20, 0x02]) { return isPublic4(Array(bytes[2..<6])) }
        // Global unicast is 2000::/3; of it 2001::/23 is for protocols and 2001:db8::/32 for documents.
        guard bytes[0] & 0xE0 == 0x20 else { return false }
        if bytes[0] == 0x20, bytes[1] == 0x01, bytes[2] < 0x02 { return false }
        return !bytes.starts(with: [0x20, 0x01, 0x0D, 0xB8])
    }

    private static func isPublic4(_ b: [UInt8]) -> Bool {
        switch b[0] {
        case 0, 10, 127: return false
        case 100: return !(64...127).contains(b[1])
        case 169: return b[1] != 254
        case 172: return !(16...31).contains(b[1])
        case 192:
            if b[1] == 168 { return false }
            return !(b[1] == 0 && (b[2] == 0 || b[2] == 2)) && !(b[1] == 88 && b[2] == 99)
        case 198: return b[1] != 18 && b[1] != 19 && !(b[1] == 51 && b[2] == 100)
        case 203: return !(b[1] == 0 && b[2] == 113)
        case 224...255: return false
        default: return true
        }
    }
}

/// Names to addresses.
public protocol NameResolver: Sendable {
    /// Numeric addresses of a host, at least one.
    func addresses(of host: String) async throws -> [String]
}

/// The system's resolver.
public struct SystemResolver: NameResolver {
    public init() {}

    public func addresses(of host: String) async throws -> [String] {
        // It blocks: on a thread of its own, not on one that tasks share.
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                var hints = addrinfo()
                #if canImport(Glibc) || canImport(Musl)
                    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
                #else
                    hints.ai_socktype = SOCK_STREAM
                #endif
                var list: UnsafeMutablePointer<addrinfo>?
                guard getaddrinfo(host, nil, &hints, &list) == 0 else {
                    continuation.resume(throwing: RemoteError(.unreachable, "\(host): no such host"))
                    return
                }
                defer { freeaddrinfo(list) }
                var found: [String] = []
                var next = list
                while let entry = next {
                    var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
                    if getnameinfo(
                        entry.pointee.ai_addr, entry.pointee.ai_addrlen, &text, socklen_t(text.count), nil, 0,
                        NI_NUMERICHOST) == 0
                    {
                        let end = text.firstIndex(of: 0) ?? text.count
                        found.append(String(decoding: text[..<end].map { UInt8(bitPattern: $0) }, as: UTF8.self))
                    }
                    next = entry.pointee.ai_next
                }
                if found.isEmpty {
                    continuation.resume(throwing: RemoteError(.unreachable, "\(host): no such host"))
                } else {
                    continuation.resume(returning: found)
                }
            }
        }
    }
}
