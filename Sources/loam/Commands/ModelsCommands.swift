import ArgumentParser
import Foundation
import Improvement

/// Which registry a command speaks to.
struct RegistryOptions: ParsableArguments {
    @Option(name: .long, help: "The model registry (default: LOAM_REGISTRY, or runs/registry).")
    var registry: String?

    var folder: String { registry ?? ProcessInfo.processInfo.environment["LOAM_REGISTRY"] ?? "runs/registry" }

    func open() throws -> ModelRegistry { try ModelRegistry(URL(filePath: folder)) }

    /// The folder of the model that is meant: the one given, or the one that serves, or the base that ships with Loam.
    /// - Throws: `ValidationError` where there is none of the three.
    func base(_ given: String?) throws -> String {
        if let path = try given ?? open().serving()?.path ?? PlaceOptions.shippedBase { return path }
        throw ValidationError("--model is needed: no model serves yet, and Models/loam-base is not here")
    }
}

struct ModelsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models", abstract: "Lists models with their lineage and says which one serves.",
        discussion: "Example: loam models --registry runs/registry")

    @OptionGroup var registry: RegistryOptions
    @OptionGroup var common: CommonOptions

    struct Answer: Encodable {
        var serving: String?
        var models: [ModelRegistry.Entry]
        var history: [ModelRegistry.Promotion]
    }

    func run() throws {
        let registry = try registry.open()
        let serving = try registry.serving()?.id
        let entries = try registry.entries()
        let console = common.console
        try console.result(Answer(serving: serving, models: entries, history: registry.history()))
        if entries.isEmpty { console.show("no models yet; `loam improve` makes one") }
        for entry in entries {
            let mark = entry.id == serving ? "*" : " "
            if entry.isBase == true {
                console.show("\(mark) \(entry.id)  base  \(entry.path)")
                continue
            }
            let gate = entry.passedGate ? "passed" : "did not pass"
            console.show("\(mark) \(entry.id)  \(entry.method)  from \(entry.parent)  \(gate) the gate  \(entry.path)")
        }
    }
}

struct PromoteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "promote", abstract: "Puts a model in front of people.",
        discussion: "Example: loam promote 3f9a2c81d0e4")

    @Argument(help: "The model's id, as `loam models` lists it.")
    var id: String

    @Flag(name: .long, help: "Even though it did not pass the gate.")
    var force = false

    @OptionGroup var registry: RegistryOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        let registry = try registry.open()
        try registry.promote(id, at: Date(), force: force)
        try common.console.result(try registry.entry(id))
        common.console.show("\(id) serves now; `loam rollback` takes it back")
    }
}

struct RollbackCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback", abstract: "Back to the model that served before.",
        discussion: "Example: loam rollback --registry runs/registry")

    @OptionGroup var registry: RegistryOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        let entry = try registry.open().rollback(at: Date())
        try common.console.result(entry)
        common.console.show("\(entry.id) serves again")
    }
}
