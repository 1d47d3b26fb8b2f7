import Tensors

/// Guidance at some steps, and at the others the prompt's prediction alone, which is half the work (guidance in an interval
/// of noise levels: Kynkäänniemi et al. 2024, arXiv 2404.07724).
///
/// What a predictor keeps from step to step it forgets where guidance begins or ends: it would be of another prediction.
package struct IntervalPredictor: NoisePredictor {
    private let guided: any NoisePredictor
    private let alone: any NoisePredictor
    private let isGuided: [Bool]
    /// A copy of one of them, with what it keeps.
    private var current: any NoisePredictor
    private var isCurrentGuided: Bool

    /// - Parameters:
    ///   - guided: has not predicted anything.
    ///   - alone: has not predicted anything.
    ///   - isGuided: for each step.
    package init(guided: any NoisePredictor, alone: any NoisePredictor, isGuided: [Bool]) {
        self.guided = guided
        self.alone = alone
        self.isGuided = isGuided
        isCurrentGuided = isGuided.first ?? true
        current = isCurrentGuided ? guided : alone
    }

    package mutating func callAsFunction(_ sample: Tensor, at place: LoopPlace) throws -> Tensor {
        if isGuided[place.step] != isCurrentGuided {
            isCurrentGuided.toggle()
            current = isCurrentGuided ? guided : alone
        }
        return try current(sample, at: place)
    }
}
