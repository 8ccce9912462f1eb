import Foundation

/// Logistic regression with an L2 penalty, fitted by L-BFGS in double precision. Deterministic.
///
/// Minimises `Σ wᵢ ℓᵢ + λ/2 ‖β‖²`, where `ℓ` is the cross-entropy against a label in [0, 1]; the bias is not penalised.
/// `λ` is `1/C` of scikit-learn, whose solutions it matches. Because the margin is linear in the coefficients, a step needs
/// the features twice (once for the search direction, once for the gradient) and its length is then found exactly on the
/// margins alone.
public struct LogisticRegression: Sendable, Hashable, Codable {
    /// One number per feature, for features as they came (also when fitted with standardisation).
    public var coefficients: [Double]
    public var bias: Double
    /// How the fitting ended.
    public var fit: Fit

    /// How the fitting ended.
    public struct Fit: Sendable, Hashable, Codable {
        /// Whether the gradient fell below the tolerance.
        public var converged: Bool
        public var iterations: Int
        /// Largest absolute entry of the gradient of the mean loss at the end.
        public var gradient: Double
        /// Mean loss per unit of weight with its share of the penalty.
        public var loss: Double
    }

    /// What steers the fitting.
    public struct Options: Sendable, Hashable, Codable {
        /// Strength `λ` of the penalty, against the *sum* of losses; 1 is scikit-learn's default.
        public var l2: Double
        /// Scale each feature to mean 0 and deviation 1 first, so that the penalty treats them alike.
        public var standardise: Bool
        /// Stop when no entry of the gradient of the mean loss is larger.
        public var tolerance: Double
        public var maximumIterations: Int

        public init(l2: Double = 1, standardise: Bool = false, tolerance: Double = 1e-6, maximumIterations: Int = 300) {
            self.l2 = l2
            self.standardise = standardise
            self.tolerance = tolerance
            self.maximumIterations = maximumIterations
        }
    }

    public init(coefficients: [Double], bias: Double, fit: Fit) {
        self.coefficients = coefficients
        self.bias = bias
        self.fit = fit
    }

    /// Fits a model.
    /// - Parameters:
    ///   - features: Examples by features; finite.
    ///   - labels: One per example in [0, 1]; soft labels are allowed.
    ///   - weights: One per example, not negative, not all 0; `nil` means 1 each.
    /// - Throws: `StatisticsError` naming the input at fault. One class alone is no error: the model then says that class.
    public init(
        _ features: some FeatureTable, labels: [Double], weights: [Double]? = nil, options: Options = Options()
    ) throws {
        let weights = weights ?? [Double](repeating: 1, count: features.rows)
        try Self.check(features, labels: labels, weights: weights, options: options)
        let problem = LogisticProblem(features, labels: labels, weights: weights, options: options)
        let solution = problem.solve(tolerance: options.tolerance, maximumIterations: options.maximumIterations)
        (coefficients, bias) = problem.original(solution.coefficients, solution.bias)
        fit = solution.fit
    }

    /// `Xβ + b` per row; `features` has as many columns as the model has coefficients.
    /// - Throws: `StatisticsError` when it has not.
    public func margins(_ features: some FeatureTable) throws -> [Double] {
        guard features.columns == coefficients.count else {
            throw StatisticsError(
                .shape, "the model has \(coefficients.count) coefficients, the table \(features.columns) columns")
        }
        return features.times(coefficients).map { $0 + bias }
    }

    /// Probability of label 1 per row.
    public func predict(_ features: some FeatureTable) throws -> [Double] {
        try margins(features).map(Self.sigmoid)
    }

    /// `1 / (1 + e⁻ˣ)`, without overflow.
    public static func sigmoid(_ x: Double) -> Double {
        if x >= 0 { return 1 / (1 + exp(-x)) }
        let e = exp(x)
        return e / (1 + e)
    }

    private static func check(
        _ features: some FeatureTable, labels: [Double], weights: [Double], options: Options
    ) throws {
        guard features.rows > 0 else { throw StatisticsError(.tooFew, "there are no examples to fit") }
        guard labels.count == features.rows, weights.count == features.rows else {
            throw StatisticsError(
                .shape, "\(features.rows) examples, \(labels.count) labels and \(weights.count) weights")
        }
        if let row = features.firstRowNotFinite {
            throw StatisticsError(.value, "example \(row) has a feature that is not a finite number")
        }
        if let row = labels.firstIndex(where: { !($0 >= 0 && $0 <= 1) }) {
            throw StatisticsError(.value, "label \(labels[row]) of example \(row) is outside 0 … 1")
        }
        if let row = weights.firstIndex(where: { !($0 >= 0 && $0.isFinite) }) {
            throw StatisticsError(.value, "weight \(weights[row]) of example \(row) is not a finite number from 0 up")
        }
        guard weights.contains(where: { $0 > 0 }) else { throw StatisticsError(.tooFew, "all weights are 0") }
        guard options.l2 >= 0, options.l2.isFinite, options.tolerance > 0, options.maximumIterations > 0 else {
            throw StatisticsError(.value, "options: l2 is not negative, tolerance and iterations are positive")
        }
    }
}
