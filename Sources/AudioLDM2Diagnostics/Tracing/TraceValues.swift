import AudioLDM2
import Tensors

/// Numbers on the host with a shape in PyTorch's order of axes.
struct TraceArray: Sendable {
    let shape: Shape
    let values: [Float]

    /// Whose shape is known to hold as many elements.
    init(_ shape: Shape, _ values: [Float]) { (self.shape, self.values) = (shape, values) }

    /// A tensor whose order of axes is PyTorch's too: `[batch, tokens, width]`.
    init(_ tensor: Tensor) throws { self.init(tensor.shape, try tensor.values()) }

    /// A tensor `[batch, ..., channels]` as `[batch, channels, ...]`.
    init(channelsFirst tensor: Tensor) throws {
        let extents = tensor.shape.extents
        self.init(
            Shape([extents[0], tensor.shape.last] + extents.dropFirst().dropLast()),
            ChannelOrder.channelsFirst(try tensor.values(), extents))
    }
}

/// What one component was given: present where required, of the right shape and kind.
struct TraceValues: Sendable {
    let backend: any Backend
    private var arrays: [String: TraceArray] = [:]

    /// - Throws: `AudioLDM2Error` of kind `.invalidOption` that names the input.
    init(_ inputs: [TraceInput], given: [String: NamedTensor], on backend: any Backend) throws {
        self.backend = backend
        var bound: [String: Int] = [:]
        for input in inputs {
            guard let tensor = given[input.name] else {
                guard !input.isRequired else {
                    let rest = inputs.map(\.name).filter { given[$0] != nil }.map(\.quoted).joined(separator: ", ")
                    throw AudioLDM2Error(
                        .invalidOption, "'\(input.name)' \(input.axes) is missing; it goes with \(rest)")
                }
                continue
            }
            let shape = Shape(tensor.shape)
            guard input.axes.match(tensor.shape, bound: &bound), shape.checkedCount == tensor.values.count else {
                let known = bound.sorted { $0.key < $1.key }.map { "\($0) = \($1)" }.joined(separator: ", ")
                throw AudioLDM2Error(
                    .invalidOption,
                    "'\(input.name)' has shape \(shape), expected \(input.axes)"
                        + (known.isEmpty ? "" : " where \(known)"))
            }
            try input.check(tensor.values)
            arrays[input.name] = TraceArray(shape, tensor.values)
        }
    }

    subscript(_ name: String) -> TraceArray? { arrays[name] }

    /// Samples that the input holds: its first extent.
    func batch(_ name: String) throws -> Int { try array(name).shape[0] }

    /// - Throws: for an optional input that was not given.
    func array(_ name: String) throws -> TraceArray {
        guard let array = arrays[name] else { throw AudioLDM2Error(.invalidOption, "'\(name)' is missing") }
        return array
    }

    /// In the order in which it was given.
    func tensor(_ name: String) throws -> Tensor {
        let array = try array(name)
        return try backend.upload(array.values, array.shape)
    }

    /// `[batch, channels, ...]` as `[batch, ..., channels]`.
    func channelsLast(_ name: String) throws -> Tensor {
        let array = try array(name)
        let extents = array.shape.extents
        return try backend.upload(
            ChannelOrder.channelsLast(array.values, extents), Shape([extents[0]] + extents[2...] + [extents[1]]))
    }

    /// One sample's whole numbers. Ids and masks were checked to be small ones.
    func integers(_ name: String, of sample: Int) throws -> [Int] {
        let array = try array(name)
        let width = array.shape.count / array.shape[0]
        return array.values[sample * width..<(sample + 1) * width].map { Int($0) }
    }

    /// One sample's mask; all tokens if none was given.
    func mask(_ name: String, of sample: Int, count: Int) throws -> [Int] {
        arrays[name] == nil ? Array(repeating: 1, count: count) : try integers(name, of: sample)
    }

    /// Runs `body` on one sample after the other, for models that read one text at a time.
    func perSample(of name: String, _ body: (_ sample: Int) throws -> Tensor) throws -> [TraceArray] {
        [try TraceArray(Tensor.concatenate((0..<batch(name)).map(body), axis: 0))]
    }
}

extension TraceInput {
    fileprivate func check(_ values: [Float]) throws {
        let (isGood, expected): ((Float) -> Bool, String) =
            switch kind {
            case .numbers: ({ $0.isFinite }, "finite numbers")
            case .ids(let bound):
                ({ $0 >= 0 && $0 < Float(bound) && $0 == $0.rounded() }, "whole numbers from 0 to \(bound - 1)")
            case .mask: ({ $0 == 0 || $0 == 1 }, "1 for tokens and 0 for padding")
            }
        guard let wrong = values.first(where: { !isGood($0) }) else { return }
        throw AudioLDM2Error(.invalidOption, "'\(name)' holds \(wrong), expected \(expected)")
    }
}
