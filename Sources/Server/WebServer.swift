import Conversations
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import Logging
import NIOCore
import Storage

/// The web page and the API, made of parts that are passed in.
///
/// `application()` is a Hummingbird application: `runService()` serves it and drains on SIGTERM and SIGINT, in-flight
/// replies first.
public struct WebServer: Sendable {
    let chat: ChatService
    let host: ModelHost
    let completions: CompletionService
    let limits: ServerLimits
    let randomness: Randomness
    let now: @Sendable () -> Date
    let files: PageFiles
    let office: Office?
    let logger: Logger
    let keys: KeyRing
    let counts: StoredCounts
    let proxies: TrustedProxies
    let description: OpenAPIDescription

    /// - Parameters:
    ///   - host: the model; it may still be loading.
    ///   - store: where conversations and feedback are kept.
    ///   - sampling: how replies are drawn.
    ///   - compareShare: share of turns of the page (0 to 1) that are answered twice, for the person to choose the better reply.
    ///   - randomness: where ids, cookies and seeds come from.
    ///   - now: the clock.
    ///   - files: folder of the page; `nil` is the one that is built in.
    ///   - office: the operator's and the raters' pages; `nil` serves neither.
    ///   - requiresKeys: nobody may use the API without a key, even where none was made yet.
    ///   - proxies: whose word on a client's address is believed.
    /// - Throws: when the page's files cannot be read.
    public init(
        host: ModelHost, store: any ConversationStore, sampling: Sampling = Sampling(),
        compareShare: Double = 0, limits: ServerLimits = ServerLimits(),
        randomness: Randomness = .system, now: @escaping @Sendable () -> Date = { Date() }, files: URL? = nil,
        office: Office? = nil, requiresKeys: Bool = false, proxies: TrustedProxies = TrustedProxies(), logger: Logger
    ) throws {
        self.host = host
        self.limits = limits
        self.randomness = randomness
        self.now = now
        self.logger = logger
        self.office = office
        self.files = try PageFiles(folder: files ?? PageFiles.bundled)
        self.proxies = proxies
        keys = KeyRing(store: store as? any APIKeyStore, isRequired: requiresKeys, now: now)
        counts = StoredCounts(store: store, now: now)
        description = try OpenAPIDescription()
        chat = ChatService(
            store: store, host: host, sampling: sampling, limits: limits, randomness: randomness,
            compareShare: compareShare, now: now)
        completions = CompletionService(
            store: store, host: host, sampling: sampling, randomness: randomness, now: now)
    }

    /// - Parameters:
    ///   - hostname: the address to listen on; the default is reachable from this machine only.
    ///   - port: 0 takes a free one.
    ///   - tls: makes it speak HTTPS.
    ///   - onRunning: called with the port once the server listens.
    /// - Throws: `ServerSetupFault` for files that are no certificate or no key.
    public func application(
        hostname: String = "127.0.0.1", port: Int = 8080, tls: TLSFiles,
        onRunning: @escaping @Sendable (Int) async -> Void = { _ in }
    ) throws -> some ApplicationProtocol {
        try application(
            hostname: hostname, port: port, over: .tls(limits.http, tlsConfiguration: tls.configuration()),
            isSecure: true, onRunning: onRunning)
    }

    /// - Parameters:
    ///   - hostname: the address to listen on; the default is reachable from this machine only.
    ///   - port: 0 takes a free one.
    ///   - onRunning: called with the port once the server listens.
    public func application(
        hostname: String = "127.0.0.1", port: Int = 8080, onRunning: @escaping @Sendable (Int) async -> Void = { _ in }
    ) -> some ApplicationProtocol {
        application(hostname: hostname, port: port, over: limits.http, isSecure: false, onRunning: onRunning)
    }

    private func application(
        hostname: String, port: Int, over http: HTTPServerBuilder, isSecure: Bool,
        onRunning: @escaping @Sendable (Int) async -> Void
    ) -> Application<RouterResponder<ServerContext>> {
        Application(
            router: router(hostname: hostname, isSecure: isSecure), server: http,
            configuration: ApplicationConfiguration(
                address: .hostname(hostname, port: port), serverName: "loam",
                availableConnectionsDelegate: MaximumAvailableConnections(limits.connections, logger: logger)),
            onServerRunning: { await onRunning($0.localAddress?.port ?? port) }, logger: logger)
    }

    /// - Parameters:
    ///   - hostname: the address that is listened on.
    ///   - isSecure: it speaks TLS itself. Where that is somebody else's before it, the office's settings say so.
    func router(hostname: String = "127.0.0.1", isSecure: Bool = false) -> Router<ServerContext> {
        let isSecure = isSecure || office?.accounts.isSecure == true
        let router = Router(context: ServerContext.self, options: .autoGenerateHeadEndpoints)
        let methods = KnownMethods()
        let metrics = host.metrics
        router.add(middleware: RequestLog(metrics: metrics))
        router.add(middleware: SecurityHeaders(isSecure: isSecure))
        router.add(middleware: ErrorShape())
        router.add(middleware: ClientAddress(proxies: proxies))
        if NameGate.isLoopback(hostname) { router.add(middleware: NameGate(proxies: proxies)) }
        router.add(
            middleware: AddressBound(
                bound: RequestBound(burst: limits.requestBurst, secondsPerToken: limits.secondsPerRequest),
                metrics: metrics, now: now))
        router.add(
            middleware: KeyGate(
                keys: keys, bound: RequestBound(burst: limits.keyBurst, secondsPerToken: limits.secondsPerKeyRequest),
                metrics: metrics, now: now))
        router.add(middleware: methods)
        files.add(to: router)
        HealthRoutes(host: host).add(to: router)
        let messages = RequestBound(burst: limits.messageBurst, secondsPerToken: limits.secondsPerMessage)
        PersonRoutes(
            chat: chat, host: host, limits: limits, randomness: randomness, messages: messages,
            openings: RequestBound(
                burst: limits.conversationBurst, secondsPerToken: limits.secondsPerConversation),
            isSecure: isSecure, now: now
        ).add(to: router)
        OpenAIRoutes(completions: completions, host: host, limits: limits, startedAt: now()).add(to: router)
        office?.add(to: router)
        TextCompletionRoutes(
            service: TextCompletionService(host: host, sampling: completions.sampling, randomness: randomness),
            limits: limits, now: now
        ).add(to: router)
        SideModelRoutes(host: host, limits: limits, randomness: randomness).add(to: router)
        MetricsRoutes(host: host, counts: counts, keys: keys, startedAt: now()).add(to: router)
        description.add(to: router)
        methods.learn(router)
        return router
    }
}
