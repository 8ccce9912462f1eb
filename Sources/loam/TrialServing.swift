import Evaluation
import Foundation
import Improvement
import Server
import Storage

/// The running trial as the server minds it: stopped by a guard-rail, or because somebody ended it.
struct TrialServing: Sendable {
    let registry: ModelRegistry
    let trial: ModelRegistry.Trial
    let store: any ConversationStore
    let console: Console
    /// A look at the store every minute; stopping a bad model a minute later is soon enough, and a look costs one pass.
    var pause = Duration.seconds(60)

    func watch(_ answerer: TrialAnswerer) async {
        guard let assignment = try? trial.assignment() else { return }
        let watch = TrialWatch(
            store: store, assignment: assignment, start: trial.startedAt, level: trial.level, now: { Date() })
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await watch.run(every: pause, onFailure: { console.say("the trial could not be looked at: \($0)") }) {
                    comparison in
                    let alarms = comparison.guardRails.filter(\.isAlarm).map(\.name).joined(separator: ", ")
                    answerer.end()
                    try? registry.endTrial(outcome: "stopped: \(alarms)", at: Date())
                    console.say("the trial of \(trial.model) was stopped by its guard-rail: \(alarms)")
                }
            }
            group.addTask {
                // Ended from outside by `loam trial end`, a promotion or a roll-back.
                while !Task.isCancelled {
                    if (try? registry.trial()) != trial {
                        answerer.end()
                        return
                    }
                    try? await Task.sleep(for: .seconds(5))
                }
            }
            await group.next()
            group.cancelAll()
        }
    }
}
