import Hummingbird
import NIOCore

/// What travels with a request: Hummingbird's own, and the address it came from.
struct ServerContext: RequestContext, RemoteAddressRequestContext {
    var coreContext: CoreRequestContextStorage
    let remoteAddress: SocketAddress?
    /// The client's address without the port, for bounds; never logged. Behind a trusted proxy it is what that says.
    var address: String
    /// Whether somebody says that they speak for another.
    var isForwarded = false
    /// Whether the request brings an operator's key.
    var isOperator = false

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        remoteAddress = source.channel.remoteAddress
        address = source.channel.remoteAddress?.ipAddress ?? "local"
    }

    /// What bounds count by: the address; of IPv6 its network of 64 bits, since one client has all of them.
    var network: String { AddressRange.network(of: address) }

    /// Whether the client is on this machine, as far as can be told. (A test without a socket is.)
    var isFromLoopback: Bool { address == "local" || AddressRange.isLoopback(address) }
}
