import Hummingbird
import NIOCore

/// What travels with a request: Hummingbird's own, and the address it came from.
struct ServerContext: RequestContext, RemoteAddressRequestContext {
    var coreContext: CoreRequestContextStorage
    let remoteAddress: SocketAddress?

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        remoteAddress = source.channel.remoteAddress
    }

    /// The address without the port, for bounds; never logged.
    var address: String { remoteAddress?.ipAddress ?? "local" }
}
