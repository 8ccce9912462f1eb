import NIOCore

/// Closes a connection whose reader has stopped reading: what is written has not gone out for too long.
///
/// Hummingbird's own time-out minds requests that do not arrive; this one minds answers that are not taken.
final class StalledWriter: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny
    typealias OutboundIn = NIOAny

    private let limit: TimeAmount
    private var pending = 0
    private var lastProgress = NIODeadline.now()
    private var watch: Scheduled<Void>?

    /// - Parameter limit: how long a write may wait.
    init(limit: TimeAmount) { self.limit = limit }

    func handlerRemoved(context: ChannelHandlerContext) {
        watch?.cancel()
        watch = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        watch?.cancel()
        watch = nil
        context.fireChannelInactive()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let promise = promise ?? context.eventLoop.makePromise(of: Void.self)
        if pending == 0 { lastProgress = .now() }
        pending += 1
        promise.futureResult.assumeIsolated().whenComplete { _ in
            self.pending -= 1
            self.lastProgress = .now()
        }
        context.write(data, promise: promise)
        if watch == nil { look(context, in: limit) }
    }

    private func look(_ context: ChannelHandlerContext, in time: TimeAmount) {
        watch = context.eventLoop.assumeIsolated().scheduleTask(in: time) {
            self.watch = nil
            guard self.pending > 0 else { return }
            let waited = NIODeadline.now() - self.lastProgress
            if waited >= self.limit {
                context.close(promise: nil)
            } else {
                self.look(context, in: self.limit - waited)
            }
        }
    }
}

@available(*, unavailable)
extension StalledWriter: Sendable {}
