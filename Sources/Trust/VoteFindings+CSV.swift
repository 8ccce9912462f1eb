import Foundation

extension VoteFindings {
    /// Writes `users.csv` (user, trust, votes, agreement, flags, reasons), `items.csv` (item, label, probability, weight) and
    /// `votes_weighted.csv` (user, item, label, weight, probability) into a folder that exists; each appears whole or not.
    ///
    /// For thumbs `probability` is that of "good"; for more classes that of the label, followed by a column for every class.
    public func write(to folder: URL) throws {
        try writeUsers(to: folder.appending(path: "users.csv"))
        try writeItems(to: folder.appending(path: "items.csv"))
        try writeVotes(to: folder.appending(path: "votes_weighted.csv"))
    }

    private func writeUsers(to url: URL) throws {
        var sink = try CSVSink(url)
        for name in ["user", "trust", "votes", "agreement", "flags", "reasons"] { sink.field(name) }
        try sink.endLine()
        for (number, user) in users.enumerated() {
            ballots.users.withBytes(of: number) { sink.field($0) }
            sink.field(user.trust)
            sink.field(user.votes)
            if let agreement = user.agreement { sink.field(agreement) } else { sink.field("") }
            sink.field(user.flags.map(\.kind.rawValue).joined(separator: ";"))
            sink.field(user.flags.map(\.reason).joined(separator: " "))
            try sink.endLine()
        }
        try sink.close()
    }

    private func writeItems(to url: URL) throws {
        let classes = ballots.classCount
        var sink = try CSVSink(url)
        let columns = ["item", "label", "probability", "weight"]
        for name in columns + (classes > 2 ? ballots.classes.map { "probability_\($0)" } : []) { sink.field(name) }
        try sink.endLine()
        for item in 0..<ballots.items.count {
            let label = solution.label(of: item)
            let own = solution.posterior[item * classes + label]
            ballots.items.withBytes(of: item) { sink.field($0) }
            sink.field(ballots.classes[label])
            sink.field(classes == 2 ? solution.posterior[item * 2 + 1] : own)
            // 0 where all classes are as likely, 1 when certain; for two classes |2p − 1|.
            sink.field((Double(classes) * own - 1) / Double(max(1, classes - 1)))
            if classes > 2 { for k in 0..<classes { sink.field(solution.posterior[item * classes + k]) } }
            try sink.endLine()
        }
        try sink.close()
    }

    private func writeVotes(to url: URL) throws {
        let classes = ballots.classCount
        var sink = try CSVSink(url)
        for name in ["user", "item", "label", "weight", "probability"] { sink.field(name) }
        try sink.endLine()
        for item in 0..<ballots.items.count {
            for vote in Int(ballots.itemStart[item])..<Int(ballots.itemStart[item + 1]) {
                let (user, label) = Int(ballots.cellOfVote[vote]).quotientAndRemainder(dividingBy: classes)
                ballots.users.withBytes(of: user) { sink.field($0) }
                ballots.items.withBytes(of: item) { sink.field($0) }
                sink.field(ballots.classes[label])
                sink.field(weight(ofUser: user))
                sink.field(solution.posterior[item * classes + (classes == 2 ? 1 : label)])
                try sink.endLine()
            }
        }
        try sink.close()
    }
}
