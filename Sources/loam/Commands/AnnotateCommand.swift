import ArgumentParser
import Foundation
import Hummingbird
import Improvement
import Logging
import Server
import Storage

struct AnnotateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "annotate",
        abstract: "The raters' page alone: categories, blind pairs, agreement; or writes what raters said.",
        discussion: """
            Raters sign in at /rate, operators look over agreement at /admin (see `loam accounts`); no model is needed. With
            --anchors or --votes it writes files for `loam trust --anchors` and `loam compare --votes` and ends.

            Example: loam annotate --store chats.sqlite --port 8081
            Example: loam annotate --store chats.sqlite --anchors anchors.csv --votes votes.jsonl
            """)

    @Option(name: .long, help: "The port; 0 takes a free one.")
    var port = 8080

    @Option(name: .long, help: "The address to listen on.")
    var host = "127.0.0.1"

    @Option(
        name: .long, parsing: .upToNextOption,
        help: "Proxies (10.0.0.7, 10.0.0.0/8) whose X-Forwarded-For is believed.")
    var trustedProxy: [String] = []

    @Option(name: .long, help: "Write replies that raters agree on to this file: item,label.")
    var anchors: String?

    @Option(name: .long, help: "Write choices between models to this file, one a line.")
    var votes: String?

    @OptionGroup var office: OfficeOptions
    @OptionGroup var store: StoreOptions
    @OptionGroup var common: CommonOptions

    struct Answer: Encodable {
        var anchors: String?
        var votes: String?
    }

    func validate() throws {
        try PortCheck.requirePort(port)
        do {
            _ = try TrustedProxies(trustedProxy)
        } catch {
            // ArgumentParser shows only its own kind of error as it is.
            throw ValidationError("\(error)")
        }
    }

    func run() async throws {
        let console = common.console
        guard let place = try await store.location.openExisting() as? any OfficeStore else {
            throw ImprovementFault(description: "\(store.name): this store keeps no accounts")
        }
        if anchors != nil || votes != nil {
            let said = try await RatingExport(place)
            if let anchors { try Data(said.anchors.utf8).write(to: URL(filePath: anchors), options: .atomic) }
            if let votes { try Data(said.comparison.utf8).write(to: URL(filePath: votes), options: .atomic) }
            try console.result(Answer(anchors: anchors, votes: votes))
            console.show("written: \([anchors, votes].compactMap { $0 }.joined(separator: ", "))")
            return
        }
        guard try await !place.accounts().isEmpty else {
            throw ImprovementFault(
                description:
                    "\(store.name): nobody could sign in; `loam accounts add NAME --role rater` makes an account")
        }
        var logger = Logger(label: "loam.server")
        logger.logLevel = .notice
        let serving = OfficeServing(
            location: store.location, registry: nil, model: nil, encoder: "", threads: 1, choices: office.choices)
        guard let office = try serving.office(store: place, serve: nil) else { return }
        let address = host
        let proxies = try TrustedProxies(trustedProxy)
        let application = try office.application(
            hostname: host, port: port, proxies: proxies, logger: logger
        ) { port in
            console.say("raters: http://\(address):\(port)/rate  operators: /admin  (Ctrl-C ends it)")
        }
        try await application.runService()
    }
}
