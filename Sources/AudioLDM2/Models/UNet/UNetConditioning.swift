import Layers
import Tensors
import WeightFile

/// What the UNet reads beside its sample: computed once per generation, used at every step.
package struct UNetConditioning: Sendable {
    /// Keys and values by the slot of the attention that made them.
    var contexts: [(any PreparedContext)?]
    /// `[batch, timeEmbedDim]`, what stands beside the time embedding.
    var film: Tensor?
    /// What each residual block adds at every step, `[steps, batch, channels]`, by the block's slot. The batch is 1 where
    /// only the time matters.
    var timeShifts: [Int: Tensor] = [:]
    /// The step that is predicted.
    private(set) var step = 0

    func at(_ step: Int) -> UNetConditioning {
        var conditioning = self
        conditioning.step = step
        return conditioning
    }

    /// `[batch, channels]`.
    fileprivate func timeShift(_ slot: Int, batch: Int) throws -> Tensor {
        guard let all = timeShifts[slot], step < all.shape[0] else {
            throw TensorError.shapeMismatch(operation: "denoiser", expected: "a time for step \(step)", found: [])
        }
        let shift = try all.outermost(step..<step + 1).reshaped([all.shape[1], all.shape[2]])
        return all.shape[1] == batch
            ? shift : try Tensor.concatenate(Array(repeating: shift, count: batch), axis: 0)
    }
}

/// Numbers the places of a UNet that read its conditioning while it is built, so that each finds what is its own.
final class UNetSlots {
    /// Which conditioning sequence each cross-attention reads.
    private(set) var contexts: [Int] = []
    private var residualBlocks = 0

    /// - Parameter context: which conditioning sequence the attention reads.
    func attention(context: Int) -> Int {
        contexts.append(context)
        return contexts.count - 1
    }

    func residualBlock() -> Int {
        residualBlocks += 1
        return residualBlocks - 1
    }
}

/// A residual block that is told the time: a projection of the time embedding is added between its convolutions.
struct TimedResnetBlock: Sendable {
    private let block: ResnetBlock
    private let timeProjection: Linear
    private let slot: Int

    init(_ inputs: Int, _ outputs: Int, build: UNetBuild, _ weights: WeightScope) throws {
        block = try ResnetBlock(inputs, outputs, norm: build.norm, weights)
        timeProjection = try Linear(build.timeEmbedDim, outputs, weights["time_emb_proj"].preferring(.float))
        slot = build.slots.residualBlock()
    }

    /// `[batch, time, frequency, inputs]` → `[batch, time, frequency, outputs]`.
    func callAsFunction(_ x: Tensor, _ conditioning: UNetConditioning) throws -> Tensor {
        try block(x, shift: conditioning.timeShift(slot, batch: x.shape[0]))
    }

    /// Adds what this block needs to `conditioning`.
    /// - Parameter embeddings: of every step, after their SiLU, `[steps, batch, timeEmbedDim]`.
    func prepare(_ conditioning: inout UNetConditioning, embeddings: Tensor) throws {
        conditioning.timeShifts[slot] = try timeProjection(embeddings)
    }
}
