import Tensors

/// Numbers that a checkpoint file holds, of which tensors are views.
struct TorchStorage: Sendable, Equatable {
    let key: String
    /// Nil for bytes, and for elements that hold no weights here.
    let type: ElementType?
    /// In elements, as the pickle claims; compared with the file when the storage is found there.
    let count: Int
    /// Bytes of an element that holds no weights here; nil for others.
    var opaqueWidth: Int?

    /// Nil if that is more than fits in an `Int`.
    var byteCount: Int? {
        let (bytes, overflow) = count.multipliedReportingOverflow(by: opaqueWidth ?? type?.byteCount ?? 1)
        return overflow ? nil : bytes
    }
}

/// A view of a storage: element `i₀, i₁, …` is number `offset + Σ iₖ · strideₖ`.
struct TorchTensor: Sendable {
    let storage: Int
    let type: ElementType
    let shape: Shape
    /// Of the first element, in elements.
    let offset: Int
    /// One for each axis, none negative.
    let strides: [Int]
    /// Elements of the storage from `offset` to the last one that the view reads, checked to be there.
    let span: Int

    static let rankLimit = 64
    /// Elements that a view may have beyond its storage's, since it may repeat them.
    private static let repetitionLimit = 1 << 20

    /// - Parameter count: elements of the storage.
    /// - Returns: nil and the fault in `fault`, if the view reaches beyond its storage.
    init?(
        storage: Int, count: Int, type: ElementType, shape: Shape, strides: [Int], offset: Int, fault: inout String
    ) {
        guard shape.rank == strides.count, shape.rank <= Self.rankLimit, let elements = shape.checkedCount else {
            fault = "of the impossible shape \(shape.extents.prefix(Self.rankLimit))"
            return nil
        }
        let last = elements == 0 ? 0 : Self.lastElement(shape, strides)
        guard let last, offset >= 0, strides.allSatisfy({ $0 >= 0 }), offset <= count,
            elements == 0 || last < count - offset
        else {
            fault = "of shape \(shape) and strides \(strides) from \(offset), beyond its storage of \(count) elements"
            return nil
        }
        guard elements <= max(count, Self.repetitionLimit) else {
            fault = "of shape \(shape), which repeats the \(count) elements of its storage too often"
            return nil
        }
        self.storage = storage
        self.type = type
        self.shape = shape
        self.offset = offset
        self.strides = strides
        span = elements == 0 ? 0 : last + 1
    }

    /// The largest `Σ iₖ · strideₖ`; nil if that is more than fits in an `Int`.
    private static func lastElement(_ shape: Shape, _ strides: [Int]) -> Int? {
        var last = 0
        for (extent, stride) in zip(shape.extents, strides) {
            let (reach, overflow) = (extent - 1).multipliedReportingOverflow(by: stride)
            let (sum, carry) = last.addingReportingOverflow(reach)
            guard !overflow, !carry else { return nil }
            last = sum
        }
        return last
    }

    /// Whether elements lie one after the other, in row-major order.
    var isContiguous: Bool {
        var expected = 1
        for (extent, stride) in zip(shape.extents, strides).reversed() where extent != 1 {
            guard stride == expected else { return shape.extents.contains(0) }
            expected *= extent
        }
        return true
    }
}

/// A view whose elements lie apart, put in order.
struct GatheredTensor: SourceTensor {
    let key: String
    let location: String
    let shape: Shape
    private let values: [Float]

    /// Larger tables are never stored transposed.
    private static let limit = 1 << 26

    /// - Parameters:
    ///   - source: the storage's elements from the view's first to its last, in a row.
    init(_ tensor: TorchTensor, _ source: FileTensor) throws {
        guard source.shape.count <= Self.limit, tensor.shape.count <= Self.limit else {
            throw CheckpointError.invalidTensor(
                file: source.input.name, tensor: source.key,
                reason: "has \(tensor.shape) elements scattered over \(source.shape.count); save it contiguous")
        }
        key = source.key
        location = source.location
        shape = tensor.shape
        let stored = try source.readAll()
        var places = [Int](repeating: 0, count: tensor.shape.rank)
        var element = 0
        values = (0..<tensor.shape.count).map { _ in
            let value = stored[element]
            for axis in places.indices.reversed() {
                places[axis] += 1
                element += tensor.strides[axis]
                if places[axis] < tensor.shape[axis] { break }
                element -= places[axis] * tensor.strides[axis]
                places[axis] = 0
            }
            return value
        }
    }

    func read(_ range: Range<Int>, into buffer: UnsafeMutableBufferPointer<Float>) {
        _ = buffer.update(fromContentsOf: values[range])
    }
}
