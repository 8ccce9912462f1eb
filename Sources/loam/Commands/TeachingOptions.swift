import ArgumentParser
import Dialogue
import Improvement

/// What `loam train modules` teaches.
struct TeachingOptions: ParsableArguments {
    @Option(
        name: .long,
        help:
            "modules: how tasks are written: \(ModuleTraining.Style.allCases.map(\.rawValue).joined(separator: ", ")).")
    var promptStyle: ModuleTraining.Style = .instruction

    @Option(name: .long, help: "modules: teach only this one, such as mgm; may be given several times.")
    var module: [String] = []

    @Option(name: .long, help: "modules: most tasks of one module.")
    var perModule = 4000

    /// - Throws: `ValidationError` naming a module that there is not.
    var modules: Set<DialogueModule>? {
        get throws {
            guard !module.isEmpty else { return nil }
            return Set(
                try module.map { name in
                    guard let found = DialogueModule(rawValue: name) else {
                        throw ValidationError(
                            "there is no module \(name); there are "
                                + DialogueModule.allCases.map(\.rawValue).joined(separator: ", "))
                    }
                    return found
                })
        }
    }
}

extension ModuleTraining.Style: ExpressibleByArgument {}
