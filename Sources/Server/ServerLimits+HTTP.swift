import Hummingbird
import HummingbirdCore
import NIOCore

extension ServerLimits {
    /// HTTP with the bounds of headers and of idle time that hold for every application here.
    var http: HTTPServerBuilder {
        let idle = TimeAmount.milliseconds(Int64(idleSeconds * 1000))
        return .http1(
            configuration: .init(
                additionalChannelHandlers: [StalledWriter(limit: idle)], idleTimeout: idle,
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: 16 * 1024, maxHeaderListSize: 32 * 1024, maxHeaderFieldCount: 100)))
    }
}
