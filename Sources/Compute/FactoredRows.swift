import CKernels
import ComputeSupport
import Tensors

/// Rows whose channels are multiplied by factors as they are read.
///
/// An activation comes afterwards: with one that does not keep positive factors, the result is another.
struct FactoredRows: RowSource, @unchecked Sendable {
    // Unchecked: the factors are not written to.
    private let source: any RowSource
    /// One for each channel, in a weight that outlives the product.
    private let factors: UnsafePointer<Float>
    private let zeros: [Float]
    private let kernels: Kernels

    init(_ source: any RowSource, factors: UnsafePointer<Float>, _ kernels: Kernels) {
        (self.source, self.factors, self.kernels) = (source, factors, kernels)
        zeros = Array(repeating: 0, count: source.channels)
    }

    var rowCount: Int { source.rowCount }
    var channels: Int { source.channels }
    var rowsAtOnce: Int { source.rowsAtOnce }

    func write(_ rows: Range<Int>, into target: UnsafeMutablePointer<Float>) {
        var values = source.inPlace.map { $0 + rows.lowerBound * channels }
        if values == nil {
            source.write(rows, into: target)
            values = UnsafePointer(target)
        }
        guard let values else { return }
        zeros.withUnsafeBufferPointer { zeros in
            guard let shift = zeros.baseAddress else { return }
            kernels.scale_shift(values, rows.count, channels, factors, shift, KERNELS_NONE, target)
        }
    }
}

extension CPUBackend {
    /// A product's input, multiplied by the weight's factors if it has any.
    /// - Parameter bytes: the weight's; the result must not outlive them.
    func factored(
        _ source: any RowSource, for weight: CPUWeight, _ bytes: UnsafeRawBufferPointer
    ) throws -> any RowSource {
        let description = weight.description
        guard description.hasInputFactors else { return source }
        try require(
            bytes.count >= description.byteCount, "int8 product", "factors for \(description.role.inputs) channels",
            description.role.shape)
        guard let base = bytes.baseAddress else { return source }
        let factors = (base + Int8Layout(role: description.role).byteCount).assumingMemoryBound(to: Float.self)
        return FactoredRows(source, factors: factors, kernels)
    }

    /// What an int8 product of rows reads.
    func quantizedRows(
        _ x: Tensor, for weight: CPUWeight, _ bytes: UnsafeRawBufferPointer, _ operation: String
    ) throws -> QuantizedInput {
        guard weight.description.hasInputFactors else { return try quantizedRows(x, operation) }
        return try QuantizedInput(factored(rows(of: x, operation), for: weight, bytes), on: self)
    }
}
