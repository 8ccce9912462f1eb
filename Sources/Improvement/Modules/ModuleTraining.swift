import Conversations
import Dialogue
import Foundation
import Torch
import Training

/// Teaches a model the bot's modules from logs and dialogue sets (`ModuleTeacher`), all in one run with plain replies among them,
/// and says for every module how it did before and does after on conversations held out: learning one may not cost another.
public struct ModuleTraining {
    /// How tasks are written.
    public enum Style: String, Sendable, Codable, CaseIterable {
        case instruction, opt, r2c2

        public var prompt: any PromptStyle {
            switch self {
            case .instruction: InstructionPrompt()
            case .opt: OPTPrompt()
            case .r2c2: ControlTokenPrompt()
            }
        }
    }

    public var style: Style
    /// Modules to teach; `nil` all that the data has tasks for. The exam asks all of them.
    public var modules: Set<DialogueModule>?
    /// Most tasks of one module.
    public var perModule: Int
    public var teacher: ModuleTeacher
    public var settings: MethodSettings
    public var options: TrainingOptions
    public var device: Device
    public var run: TrainingRun

    public init(
        style: Style = .instruction, modules: Set<DialogueModule>? = nil, perModule: Int = 4000,
        teacher: ModuleTeacher = ModuleTeacher(), settings: MethodSettings = MethodSettings(), options: TrainingOptions,
        device: Device = .cpu, run: TrainingRun = TrainingRun()
    ) {
        self.style = style
        self.modules = modules
        self.perModule = perModule
        self.teacher = teacher
        self.settings = settings
        self.options = options
        self.device = device
        self.run = run
    }

    public struct Outcome: Sendable {
        public var training: MethodTraining.Outcome
        public var taught: TaughtModules
    }

    /// Trains and writes the model folder with `modules.json` in it, by which `loam chat` and `loam serve` know the style.
    /// - Parameter now: The clock, asked once in a run's life: chat templates are told the day on which it began.
    /// - Throws: `LogError` for files that cannot be used, `TrainingError` where they hold no task to learn.
    public func run(
        _ files: [URL], model: URL, to folder: URL, now: Date, onProgress: (String) -> Void = { _ in },
        onStep: (StepMetrics) throws -> Void
    ) async throws -> Outcome {
        let data = try TeachingData(files, teacher: teacher, onProgress: onProgress)
        let prompt = style.prompt
        let chosen = data.learned.filter { modules?.contains($0.item.module) ?? true || $0.item.module == .plainReply }
        let tasks = TeachingData.balanced(chosen, perModule: perModule, seed: options.seed)
        var training = TrainingData()
        training.skipped = data.skipped
        training.examples = tasks.compactMap { task in
            prompt.lesson(task.item).map { Sourced(Example($0), file: task.file, line: task.line) }
        }
        let counts = Dictionary(grouping: tasks, by: \.item.module).mapValues(\.count)
        guard counts.keys.contains(where: { $0 != .plainReply }) else {
            throw TrainingError(
                .data, "the files hold no task for a module: \(files.map(\.path).joined(separator: ", "))")
        }
        onProgress(
            "tasks: "
                + counts.sorted { $0.key.rawValue < $1.key.rawValue }.map { "\($0.key.rawValue) \($0.value)" }
                .joined(separator: ", "))
        if data.heldOut.isEmpty { onProgress("too few conversations to hold any out: there will be no figures") }
        let exam = ModuleExam(
            TeachingData.balanced(data.heldOut, perModule: 120, seed: options.seed), style: prompt)
        let today = try RunDay.of(folder.appending(path: "training"), now: now, in: run.group)
        // Of several processes the first one has the figures: the others would open what it has not written yet.
        func scores(_ place: URL) async throws -> [ModuleScore] {
            guard run.group.isFirst else { return [] }
            return try await exam.scores(of: ModelBench(place, today: today, device: device))
        }
        let before = try await scores(model)
        let outcome = try MethodTraining(.sft, settings: settings, options: options, device: device, run: run)
            .run(training, model: model, to: folder, now: now, onProgress: onProgress, onStep: onStep)
        let after = try await scores(folder)
        let taught = TaughtModules(
            style: style, modules: counts.keys.map(\.rawValue).sorted(), before: before, after: after)
        if run.group.isFirst { try taught.write(to: folder) }
        return Outcome(training: outcome, taught: taught)
    }
}

/// What a model folder says of the modules that it learned: `modules.json`.
public struct TaughtModules: Sendable, Hashable, Codable {
    public var style: ModuleTraining.Style
    /// Names of the modules: `mdm`, `mgm`, …
    public var modules: [String]
    /// On conversations held out, before and after learning.
    public var before: [ModuleScore]
    public var after: [ModuleScore]

    private static let file = "modules.json"

    /// What a folder says; `nil` where it says nothing.
    /// - Throws: `ImprovementError.unreadable` naming the file.
    public static func read(from folder: URL) throws -> TaughtModules? {
        let file = folder.appending(path: file)
        guard FileManager.default.fileExists(atPath: file.path) else { return nil }
        return try RunFolder.read(TaughtModules.self, from: file)
    }

    func write(to folder: URL) throws { try RunFolder.write(self, to: folder.appending(path: Self.file)) }

    public func knows(_ module: DialogueModule) -> Bool { modules.contains(module.rawValue) }

    /// A line per module: perplexity and agreement, before and after.
    public var table: String {
        var lines = ["module  tasks  perplexity           agreement"]
        for score in after {
            let earlier = before.first { $0.module == score.module }
            func pair(_ from: Double?, _ to: Double?, _ digits: Int) -> String {
                let text = [from, to].map { $0.map { String(format: "%.\(digits)f", $0) } ?? "–" }
                return text[0] + " → " + text[1]
            }
            let perplexity = pair(earlier?.perplexity, score.perplexity, 2)
            let agreement = score.agreement.map { pair(earlier?.agreement, $0, 3) } ?? "–"
            lines.append(
                score.module.padding(toLength: 8, withPad: " ", startingAt: 0)
                    + "\(score.tasks)".padding(toLength: 7, withPad: " ", startingAt: 0)
                    + perplexity.padding(toLength: 21, withPad: " ", startingAt: 0) + agreement)
        }
        return lines.joined(separator: "\n")
    }
}
