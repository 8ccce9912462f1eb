import Foundation

/// Watches two groups of people live and says, at any moment and as often as one looks, whether the second group's rate of
/// something bad is higher than the first's. The chance of ever crying wolf is at most `level`.
///
/// An e-process for two streams of yes/no outcomes (Turner, Ly and Grünwald 2021, "Generic E-variables for exact sequential
/// k-sample tests"): outcomes are taken in blocks of fixed size per group, each block multiplies the evidence by its
/// likelihood under the rates learnt from earlier blocks over its likelihood under their common rate, and the evidence is
/// enough when it reaches 1/level (Ville). A block bets only while the second rate looks higher, so the test is one-sided.
/// An ordinary test looked at every hour would stop a harmless arm sooner or later; this one may be looked at always.
///
/// Outcomes must be one per person ("had a safety event"): messages of one person hang together.
public struct SequentialRateTest: Sendable, Hashable, Codable {
    /// Chance of a false alarm, over the whole life of the test.
    public let level: Double
    /// Outcomes of the first and second group in one block: their shares of the traffic, 9 and 1 say.
    public let block: Block
    /// Logarithm of the evidence against "the second rate is no higher".
    public private(set) var logEvidence = 0.0
    /// Largest evidence so far: what decides.
    public private(set) var largestLogEvidence = 0.0
    /// Yes and all outcomes that full blocks have used.
    public private(set) var first = Count()
    public private(set) var second = Count()
    private var waitingFirst: [Bool] = []
    private var waitingSecond: [Bool] = []

    /// Sizes of a block's two parts.
    public struct Block: Sendable, Hashable, Codable {
        public var first: Int
        public var second: Int

        public init(first: Int = 1, second: Int = 1) {
            self.first = first
            self.second = second
        }
    }

    /// Yes outcomes among all.
    public struct Count: Sendable, Hashable, Codable {
        public var yes = 0
        public var all = 0

        /// The share, pulled to one half by half a yes and half a no.
        var rate: Double { (Double(yes) + 0.5) / (Double(all) + 1) }
    }

    /// - Throws: `StatisticsError` for a level outside 0 … 1 or an empty block.
    public init(level: Double = 0.05, block: Block = Block()) throws {
        guard level > 0, level < 1, block.first > 0, block.second > 0 else {
            throw StatisticsError(
                .value, "a sequential test needs a level between 0 and 1 and outcomes of both groups in a block")
        }
        self.level = level
        self.block = block
    }

    /// Whether the second rate has been shown to be higher.
    public var isAlarm: Bool { largestLogEvidence >= -log(level) }

    /// An upper bound, valid at any time, for the probability of evidence like this if the second rate is no higher.
    public var pValue: Double { min(1, exp(-largestLogEvidence)) }

    /// One person of the first group (what serves today).
    public mutating func addFirst(_ outcome: Bool) {
        waitingFirst.append(outcome)
        settle()
    }

    /// One person of the second group (what is being tried).
    public mutating func addSecond(_ outcome: Bool) {
        waitingSecond.append(outcome)
        settle()
    }

    private mutating func settle() {
        while waitingFirst.count >= block.first, waitingSecond.count >= block.second {
            let ones = waitingFirst.prefix(block.first).count { $0 }
            let twos = waitingSecond.prefix(block.second).count { $0 }
            waitingFirst.removeFirst(block.first)
            waitingSecond.removeFirst(block.second)
            let (low, high) = (first.rate, second.rate)
            if high > low {
                let all = Double(block.first + block.second)
                let common = (Double(block.first) * low + Double(block.second) * high) / all
                logEvidence +=
                    Self.gain(ones, block.first, low, common) + Self.gain(twos, block.second, high, common)
                largestLogEvidence = max(largestLogEvidence, logEvidence)
            }
            first.yes += ones
            first.all += block.first
            second.yes += twos
            second.all += block.second
        }
    }

    private static func gain(_ yes: Int, _ all: Int, _ rate: Double, _ common: Double) -> Double {
        Double(yes) * log(rate / common) + Double(all - yes) * log((1 - rate) / (1 - common))
    }
}
