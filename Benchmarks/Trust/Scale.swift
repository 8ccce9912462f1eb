import Foundation
import Statistics
import Trust

/// Speed and memory.
enum Scale {
    /// Made-up votes: four people in five are right 80 % of the time, the fifth votes at random.
    static func write(votes: Int, users: Int, items: Int, seed: UInt64, to url: URL) throws {
        var generator = SeededGenerator(seed: seed)
        FileManager.default.createFile(atPath: url.path, contents: nil)
        let handle = try FileHandle(forWritingTo: url)
        var buffer = Data("user,item,label\n".utf8)
        for number in 0..<votes {
            // Items in turn, so that each has the same number of votes; people at random, one who is new while there are any.
            let item = number % items
            let user = number < users ? number : generator.index(below: users)
            let truth = item &* 2_654_435_761 % 5 < 3
            let isRight = generator.chance(user % 5 == 0 ? 0.5 : 0.8)
            buffer.append(contentsOf: "u\(user),i\(item),\(truth == isRight ? 1 : 0)\n".utf8)
            if buffer.count > 1 << 20 {
                try handle.write(contentsOf: buffer)
                buffer.removeAll(keepingCapacity: true)
            }
        }
        try handle.write(contentsOf: buffer)
        try handle.close()
    }

    static func writeWorld(_ options: Options) throws {
        let votes = try options.number("votes", default: 155_000)
        try write(
            votes: votes, users: options.number("users", default: votes / 10),
            items: options.number("items", default: votes / 5), seed: 1, to: URL(filePath: options.text("out")))
    }

    /// 100 iterations of plain Dawid–Skene, the median of five, against the seconds of a peer where a file has them.
    static func speed(_ options: Options) throws {
        let url = URL(filePath: try options.text("votes"))
        let clock = ContinuousClock()
        var ballots: Ballots?
        let reading = try clock.measure { ballots = try BallotFile(url).ballots }
        guard let ballots else { return }
        let method = DawidSkene(smoothing: 0, maximumIterations: 100, tolerance: -1)
        var times: [Double] = []
        var likelihood = 0.0
        let before = processorSeconds()
        for _ in 0..<5 {
            times.append(
                seconds(
                    try clock.measure {
                        likelihood = try method.solve(ballots, generator: SeededGenerator(seed: 1)).logLikelihood ?? 0
                    }))
        }
        let own = times.sorted()[2]
        let processor = (processorSeconds() - before) / 5
        print(
            "loam: \(ballots.count) votes, \(ballots.users.count) users, \(ballots.items.count) items; read in "
                + "\(figure(seconds(reading))) s; 100 iterations \(figure(own, 4)) s, CPU \(figure(processor, 4)) s; log-likelihood \(figure(likelihood, 1))"
        )
        // Wall and CPU seconds; on a busy machine the second pair is the fairer one.
        guard let peer = options.optional("peer") else { return }
        let theirs = try String(contentsOfFile: peer, encoding: .utf8).split(separator: " ").compactMap {
            Double($0.trimmingCharacters(in: .whitespacesAndNewlines))
        }
        guard theirs.count == 2 else { throw Options.Fault(description: "\(peer) does not hold two numbers") }
        print(
            "crowd-kit: 100 iterations \(figure(theirs[0])) s, CPU \(figure(theirs[1])) s; ratio \(figure(theirs[0] / own, 1)), "
                + "of CPU seconds \(figure(theirs[1] / processor, 1))")
    }

    /// User and system time of all threads so far.
    private static func processorSeconds() -> Double {
        let times = usage()
        return Double(times.ru_utime.tv_sec + times.ru_stime.tv_sec)
            + Double(times.ru_utime.tv_usec + times.ru_stime.tv_usec) * 1e-6
    }

    private static func usage() -> rusage {
        var usage = rusage()
        #if os(Linux)
            getrusage(Int32(RUSAGE_SELF.rawValue), &usage)
        #else
            getrusage(RUSAGE_SELF, &usage)
        #endif
        return usage
    }

    /// The whole way from a CSV to CSVs, for sizes that grow threefold: seconds for each part, and the peak of memory.
    static func growth(_ options: Options) throws {
        let largest = try options.number("largest", default: 10_000_000)
        let folder = URL(filePath: try options.text("out"))
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let file = folder.appending(path: "votes.csv")
        defer { try? FileManager.default.removeItem(at: file) }
        var rows = [
            [
                "votes", "users", "items", "read s", "solve s", "iterations", "people s", "write s", "total s",
                "µs/vote", "peak MB",
            ]
        ]
        var size = largest
        while size > 50_000 { size /= 3 }
        size *= 3
        let sizes = sequence(first: largest) { $0 / 3 >= size ? $0 / 3 : nil }.reversed()
        for votes in sizes {
            try write(votes: votes, users: votes / 10, items: votes / 5, seed: 1, to: file)
            let clock = ContinuousClock()
            var ballots: Ballots?
            let reading = seconds(try clock.measure { ballots = try BallotFile(file).ballots })
            guard let ballots else { return }
            var solution: VoteSolution?
            let solving = seconds(
                try clock.measure { solution = try DawidSkene().solve(ballots, generator: SeededGenerator(seed: 1)) })
            guard let solution else { return }
            var findings: VoteFindings?
            let finding = seconds(clock.measure { findings = VoteFindings(ballots, solution, method: "dawid-skene") })
            let writing = seconds(try clock.measure { try findings?.write(to: folder) })
            let total = reading + solving + finding + writing
            rows.append(
                [
                    "\(votes)", "\(ballots.users.count)", "\(ballots.items.count)", figure(reading, 2),
                    figure(solving, 2),
                    "\(solution.iterations)", figure(finding, 2), figure(writing, 2), figure(total, 2),
                    figure(total / Double(votes) * 1e6, 2), "\(peakMemory() / 1_000_000)",
                ])
        }
        printTable(rows)
        let csv = rows.map { $0.joined(separator: ",") }.joined(separator: "\n") + "\n"
        try Data(csv.utf8).write(to: folder.appending(path: "growth.csv"))
        let points = rows.dropFirst().compactMap { row in Double(row[0]).flatMap { x in Double(row[8]).map { (x, $0) } }
        }
        try Data(GrowthPlot(points).svg.utf8).write(to: folder.appending(path: "growth.svg"))
    }

    static func seconds(_ duration: Duration) -> Double {
        Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
    }

    /// The most memory that this process has held, bytes.
    static func peakMemory() -> Int {
        #if os(Linux)
            return usage().ru_maxrss * 1024
        #else
            return usage().ru_maxrss
        #endif
    }
}
