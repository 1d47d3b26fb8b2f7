import Layers
import Tensors
import WeightFile

/// What the UNet reads beside its sample: computed once per generation, used at every step.
package struct UNetConditioning: Sendable {
    /// Keys and values by the slot of the attention that made them.
    var contexts: [(any PreparedContext)?]
    /// Conditions: what each sample is predicted under.
    let batch: Int
    /// `[batch, timeEmbedDim]`, what stands beside the time embedding.
    var film: Tensor?
    /// What the residual blocks add at every step, `[steps, values]`: of all blocks in one row, so that a step is one place.
    var shifts: Tensor?
    /// By the block's slot: where its values begin in a row, and their shape, `[batch, channels]`. The batch is 1 where only
    /// the time matters.
    var shiftPlaces: [Int: (start: Int, shape: Shape)] = [:]

    /// Computes the keys and values of some transformers' cross-attentions.
    /// - Parameters:
    ///   - slots: cross-attentions that the model has.
    ///   - contexts: the language of audio, and the second text encoder's states, `[batch, tokens, width]` each.
    ///   - masks: `[batch, tokens]` for each context, 0 at tokens and −10000 at padding; nil where all are tokens.
    package init(
        of transformers: [Transformer2D], slots: Int, contexts: [Tensor?], masks: [Tensor?], film: Tensor? = nil
    ) throws {
        self.contexts = Array(repeating: nil, count: slots)
        self.film = film
        batch = film?.shape[0] ?? contexts.lazy.compactMap { $0?.shape[0] }.first ?? 1
        for block in transformers.flatMap(\.blocks) { try block.prepare(&self, contexts: contexts, masks: masks) }
    }

    /// Computes what residual blocks add at each of some steps.
    /// - Parameter embeddings: of every step, after their SiLU, `[steps, batch, timeEmbedDim]`.
    package mutating func addShifts(of blocks: [TimedResnetBlock], _ embeddings: Tensor) throws {
        let width = blocks.reduce(0) { $0 + $1.shiftShape(embeddings).count }
        shifts = try embeddings.backend.empty([embeddings.shape[0], width])
        var start = 0
        for block in blocks { try block.prepare(&self, embeddings: embeddings, at: &start) }
    }

    /// What is read at a step, `[1, values]`.
    func shifts(at step: Int) throws -> Tensor {
        guard let shifts, shifts.shape[0] > step else {
            throw TensorError.shapeMismatch(operation: "denoiser", expected: "a time for step \(step)", found: [])
        }
        return try shifts.outermost(step..<step + 1)
    }

    /// For the one step that a row of `shifts` is of.
    func reading(_ row: Tensor) -> UNetConditioning {
        var conditioning = self
        conditioning.shifts = row
        return conditioning
    }

    /// Features once for each condition: the two sides of guidance are the same until the first condition is read.
    /// - Parameter x: of all conditions, or of as many as divide them; those that repeat come in turn.
    func forAll(_ x: Tensor) throws -> Tensor {
        guard x.shape[0] < batch else { return x }
        guard batch.isMultiple(of: x.shape[0]) else {
            throw TensorError.shapeMismatch(
                operation: "denoiser", expected: "a number of samples that divides \(batch)", found: x.shape)
        }
        return try .concatenate(Array(repeating: x, count: batch / x.shape[0]), axis: 0)
    }

    /// `[batch, channels]`.
    fileprivate func timeShift(_ slot: Int, batch: Int) throws -> Tensor {
        guard let row = shifts, row.shape[0] == 1, let place = shiftPlaces[slot] else {
            throw TensorError.shapeMismatch(operation: "denoiser", expected: "one step", found: shifts?.shape ?? [])
        }
        let values = try row.reshaped([row.shape.count]).outermost(place.start..<place.start + place.shape.count)
        let shift = try values.reshaped(place.shape)
        return place.shape[0] == batch
            ? shift : try Tensor.concatenate(Array(repeating: shift, count: batch), axis: 0)
    }
}

/// Numbers the places of a UNet that read its conditioning while it is built, so that each finds what is its own.
package final class UNetSlots {
    /// Which conditioning sequence each cross-attention reads.
    package private(set) var contexts: [Int] = []
    private var residualBlocks = 0

    package init() {}

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
package struct TimedResnetBlock: Sendable {
    private let block: ResnetBlock
    private let timeProjection: Linear
    private let slot: Int
    private let outputs: Int

    package init(_ inputs: Int, _ outputs: Int, build: UNetBuild, _ weights: WeightScope) throws {
        block = try ResnetBlock(inputs, outputs, norm: build.norm, weights)
        timeProjection = try Linear(build.timeEmbedDim, outputs, weights["time_emb_proj"].preferring(.float))
        slot = build.slots.residualBlock()
        self.outputs = outputs
    }

    /// `[batch, time, frequency, inputs]` → `[batch, time, frequency, outputs]`.
    package func callAsFunction(_ x: Tensor, _ conditioning: UNetConditioning) throws -> Tensor {
        try block(x, shift: conditioning.timeShift(slot, batch: x.shape[0]))
    }

    /// Adds what this block needs to the rows of `conditioning`, behind what is there.
    /// - Parameter embeddings: of every step, after their SiLU, `[steps, batch, timeEmbedDim]`.
    fileprivate func prepare(_ conditioning: inout UNetConditioning, embeddings: Tensor, at start: inout Int) throws {
        guard let rows = conditioning.shifts else { return }
        let (steps, shape) = (embeddings.shape[0], shiftShape(embeddings))
        let shifts = try timeProjection(embeddings).reshaped([steps, shape.count, 1])
        try rows.backend.write(shifts, into: rows.reshaped([steps, rows.shape[1], 1]), at: start)
        conditioning.shiftPlaces[slot] = (start, shape)
        start += shape.count
    }

    fileprivate func shiftShape(_ embeddings: Tensor) -> Shape { [embeddings.shape[1], outputs] }
}
