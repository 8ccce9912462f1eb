/// Values computed with the original classes of ParlAI (`ContrastiveCrossEntropyLoss`, `RewardUnlikelihoodAgentTrait`).
enum Goldens {
    /// Six tokens over a vocabulary of six.
    static let logits: [Double] = [
        2.0, 1.0, 0.5, -1.0, 0.0, 3.0,
        0.1, 0.2, 0.3, 0.4, 0.5, 0.6,
        -1.0, 4.0, 1.0, 0.0, 2.0, -3.0,
        1.5, 1.4, 1.3, 1.2, 1.1, 1.0,
        0.0, 0.0, 5.0, 0.0, 0.0, 0.0,
        0.3, -0.2, 0.9, 2.2, -1.1, 0.4,
    ]
    static let targets = [5, 5, 4, 1, 2, 3]
    /// As the reference numbers them: 1 good, 0 bad, −1 unlabelled.
    static let labels: [Int8] = [1, 0, 0, -1, 0, 1]

    static let loss = [0.502835243709, 0.744396660074, 0.126928011043, 1.6562980927, 5.00671534849, 0.539413326197]
    static let crossEntropy = [0.502835243709, 0, 0, 1.6562980927, 0, 0.539413326197]
    static let contrast = [0, 0.744396660074, 0.126928011043, 0, 5.00671534849, 0]
    /// Of the sum. Row 4 has four equal rivals: the reference's choice among them is the backend's accident, ours is the
    /// lowest id.
    static let gradient: [Double] = [
        0.222498427746, 0.0818525972609, 0.0496461098159, 0.011077544434, 0.0301118877388, -0.395186566996,
        0.0, 0.0, 0.0, 0.0, -0.524979187479, 0.524979187479,
        0.0, -0.119202922022, 0.0, 0.0, 0.119202922022, 0.0,
        0.2109154171, -0.809155838567, 0.172682938278, 0.156249984011, 0.1413808321, 0.127926667077,
        -0.993307149076, 0.0, 0.993307149076, 0.0, 0.0, 0.0,
        0.0872120014529, 0.0528967527761, 0.158910627467, -0.416909764186, 0.0215062147775, 0.0963841677129,
    ]
    /// With alpha 0.2.
    static let lossAlpha = [
        0.502835243709, 0.148879332015, 0.0253856022086, 1.6562980927, 1.0013430697, 0.539413326197,
    ]
    static let gradientAlpha: [Double] = [
        0.222498427746, 0.0818525972609, 0.0496461098159, 0.011077544434, 0.0301118877388, -0.395186566996,
        0.0, 0.0, 0.0, 0.0, -0.104995837496, 0.104995837496,
        0.0, -0.0238405844044, 0.0, 0.0, 0.0238405844044, 0.0,
        0.2109154171, -0.809155838567, 0.172682938278, 0.156249984011, 0.1413808321, 0.127926667077,
        -0.198661429815, 0.0, 0.198661429815, 0.0, 0.0, 0.0,
        0.0872120014529, 0.0528967527761, 0.158910627467, -0.416909764186, 0.0215062147775, 0.0963841677129,
    ]
    /// With the contrasting token detached: only the unwanted token of rows 1, 2 and 4 has a gradient.
    static let gradientDetached: [(row: Int, column: Int, value: Double)] = [
        (1, 5, 0.524979187479), (2, 4, 0.119202922022), (4, 2, 0.993307149076),
    ]
    /// Contrast on good tokens too, from the reference with its index clash out of the way.
    static let contrastOnPositives = [0.313261687518, 0.744396660074, 0.126928011043, 0, 5.00671534849, 0.241008453833]
    /// Closed form of the expectation for k = 3; and the reference's mean over 20,000 draws.
    static let expectationOfThree = [0, 0.795305771874, 0.216521786047, 0, 5.00671534849, 0]
    static let meanOfDraws = [0, 0.795403888644, 0.215543460058, 0, 5.00671534849, 0]

    enum Unlikelihood {
        /// Three examples of three tokens over a vocabulary of four; id 0 is padding.
        static let logits: [Double] = [
            2.0, 1.0, 0.5, -1.0, 0.1, 0.2, 0.3, 0.4, 0.0, 0.0, 0.0, 0.0,
            1.0, 0.0, -1.0, 2.0, 0.5, 0.5, 0.5, 0.5, 3.0, 2.0, 1.0, 0.0,
            0.0, 1.0, 2.0, 3.0, 1.0, 1.0, 0.0, 0.0, 0.2, 0.1, 0.0, -0.1,
        ]
        static let targets = [1, 2, 3, 2, 1, 0, 3, 1, 2]
        /// By the rewards 0, −1, 1 of the examples; padding ignored.
        static let labels: [Int8] = [-1, -1, -1, 0, 0, -100, 1, 1, 1]
        static let loss = 1.345657217410204
    }
}
