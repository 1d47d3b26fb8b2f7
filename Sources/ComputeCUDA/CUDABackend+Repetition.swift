import CCUDA
import ComputeSupport
import Tensors

extension CUDABackend {
    /// Work that is launched as a CUDA graph from its second time on. What may be recorded is found by trying; the rest is
    /// done as it is.
    package func repeatable(_ work: @escaping TensorWork) -> TensorWork {
        guard device.graphs != nil else { return work }
        return RepeatableWork(work, on: self).callAsFunction
    }

    /// Has what `work` tells the device recorded.
    /// - Returns: no graph if this backend only counts.
    func recording<Result>(_ work: () throws -> Result) throws -> (result: Result, graph: ExecutableGraph?) {
        if isCounting { return (try work(), nil) }
        let new = try GraphRecorder(device)
        recorder.withLock { $0 = new }
        defer { recorder.withLock { $0 = nil } }
        return (try work(), try new.finish())
    }

    /// - Throws: `CUDAError.notRecordable` while work is recorded: what the host does or needs would not be done again.
    func requireHost(_ operation: String) throws {
        if recorder.withLock({ $0 != nil }) { throw CUDAError.notRecordable(operation) }
    }

    func copy(_ x: Tensor, into y: Tensor) throws {
        let count = x.shape.count
        try copy(
            runs: 1, length: count, from: try address(x, "copy"), stride: count, to: try address(y, "copy"),
            stride: count)
    }

    func copied(_ x: Tensor) throws -> Tensor {
        let y = try empty(x.shape)
        try copy(x, into: y)
        return y
    }
}

/// The first time is as ever, and takes the memory; then the same operations are recorded, while the device still works
/// on them, for the same memory, which this keeps. So recording neither waits nor allocates. From the second time on,
/// inputs are copied to where the first ones were, and the graph is launched: of the hundreds of launches of a step of the
/// diffusion loop, a handful is left, and what is different at each step is copied by the device from tables that it has.
private final class RepeatableWork {
    private enum State {
        case new
        /// To be done as it is.
        case plain
        case recorded(Recording)
    }

    private let work: TensorWork
    private let cuda: CUDABackend
    private var state = State.new

    init(_ work: @escaping TensorWork, on cuda: CUDABackend) { (self.work, self.cuda) = (work, cuda) }

    func callAsFunction(_ inputs: [Tensor]) throws -> Tensor {
        // Operations that are metered are waited for one by one.
        if cuda.meter.isEnabled { return try work(inputs) }
        switch state {
        case .new: return try begin(inputs)
        case .recorded(let recording) where recording.fits(inputs): return try recording.replay(inputs)
        case .plain, .recorded: return try work(inputs)
        }
    }

    private func begin(_ inputs: [Tensor]) throws -> Tensor {
        let own = try inputs.map(cuda.copied)
        let (result, buffers) = try first(own)
        state = .plain
        guard let buffers else { return result }
        do {
            let (output, graph) = try cuda.recording { try cuda.pool.repeating(buffers) { try work(own) } }
            state = .recorded(Recording(inputs: own, output: output, graph: graph, buffers: buffers, on: cuda))
        } catch is CUDAError {
            // What cannot be recorded is plain work. If the device has failed, the next call will say so.
        } catch is TensorError {
        }
        return result
    }

    /// The result is copied, so that all that the work took may be taken again.
    private func first(_ inputs: [Tensor]) throws -> (Tensor, BufferSequence?) {
        let (output, buffers) = try cuda.pool.noting { try work(inputs) }
        return (try cuda.copied(output), buffers)
    }
}

/// A graph, where it reads and writes, and the memory in between.
private final class Recording {
    private let inputs: [Tensor]
    private let output: Tensor
    private let graph: ExecutableGraph?
    private let buffers: BufferSequence
    private let cuda: CUDABackend

    init(inputs: [Tensor], output: Tensor, graph: ExecutableGraph?, buffers: BufferSequence, on cuda: CUDABackend) {
        (self.inputs, self.output, self.graph) = (inputs, output, graph)
        (self.buffers, self.cuda) = (buffers, cuda)
    }

    func fits(_ inputs: [Tensor]) -> Bool { inputs.map(\.shape) == self.inputs.map(\.shape) }

    func replay(_ inputs: [Tensor]) throws -> Tensor {
        for (input, own) in zip(inputs, self.inputs) { try cuda.copy(input, into: own) }
        try graph?.launch()
        return try cuda.copied(output)
    }
}
