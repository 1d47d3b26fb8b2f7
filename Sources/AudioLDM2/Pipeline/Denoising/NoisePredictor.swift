import Tensors

/// What predicts the noise in a sample, at a step of the diffusion loop and in one of its windows.
///
/// What it keeps from step to step is its own: work that is done once for several steps is a predictor, as guidance in an interval of
/// noise levels is, and no branch of the loop. `GuidedPredictor` is the exact one.
package protocol NoisePredictor {
    /// - Parameter sample: of a window, scaled for the model, `[sounds, time, frequency, channels]`.
    /// - Returns: the guided prediction, of the same shape.
    mutating func callAsFunction(_ sample: Tensor, at place: LoopPlace) throws -> Tensor
}

/// Where the diffusion loop is.
package struct LoopPlace: Sendable, Hashable {
    /// From 0, of the scheduler's time steps.
    package let step: Int
    /// Among the windows of the sample; 0 if it is one.
    package let window: Int
}
