import Foundation

extension TrustReport {
    /// `users.csv`: user, trust, votes, agreement, flags (their kinds, separated by semicolons), reasons.
    public var usersCSV: String {
        var text = CSV.line(["user", "trust", "votes", "agreement", "flags", "reasons"])
        for user in users {
            text += CSV.line([
                user.user, Self.number(user.trust), String(user.votes), user.agreement.map(Self.number) ?? "",
                user.flags.map(\.kind.rawValue).joined(separator: ";"), user.flags.map(\.reason).joined(separator: " "),
            ])
        }
        return text
    }

    /// `items.csv`: item, label (1 good, 0 bad), probability, weight.
    public var itemsCSV: String {
        var text = CSV.line(["item", "label", "probability", "weight"])
        for item in items {
            text += CSV.line([
                item.item, item.isGood ? "1" : "0", Self.number(item.probability), Self.number(item.weight),
            ])
        }
        return text
    }

    /// `votes_weighted.csv`: user, item, label, weight, probability; one line per current vote.
    public var votesCSV: String {
        var text = CSV.line(["user", "item", "label", "weight", "probability"])
        for vote in votes {
            text += CSV.line([
                vote.user, vote.item, vote.isUp ? "1" : "0", Self.number(vote.weight), Self.number(vote.probability),
            ])
        }
        return text
    }

    /// Writes `users.csv`, `items.csv` and `votes_weighted.csv` into a folder that exists; each file appears whole or not.
    public func write(to folder: URL) throws {
        for (name, text) in [("users.csv", usersCSV), ("items.csv", itemsCSV), ("votes_weighted.csv", votesCSV)] {
            do {
                try Data(text.utf8).write(to: folder.appending(path: name), options: .atomic)
            } catch {
                throw TrustError(.file, "cannot write \(name): \(error.localizedDescription)")
            }
        }
    }

    private static func number(_ value: Double) -> String { String(format: "%.6f", value) }
}
