import Tensors

/// Roles as numbers, and the bounds within which their sizes can be computed.
extension WeightRole {
    /// Number of extents that follow a role's code in the index.
    static func extentCount(code: UInt8) -> Int? {
        switch code {
        case 0: 1
        case 1, 4: 2
        case 2, 3: 4
        default: nil
        }
    }

    var code: UInt8 {
        switch self {
        case .vector: 0
        case .matrix: 1
        case .convolution: 2
        case .transposedConvolution: 3
        case .table: 4
        }
    }

    /// The role's own numbers, in the order of its declaration.
    var extents: [Int] {
        switch self {
        case .vector(let count): [count]
        case .matrix(let outputs, let inputs): [outputs, inputs]
        case .convolution(let outputs, let height, let width, let inputs): [outputs, height, width, inputs]
        case .transposedConvolution(let outputs, let kernel, let stride, let inputs): [outputs, kernel, stride, inputs]
        case .table(let rows, let width): [rows, width]
        }
    }

    /// nil for an unknown code or the wrong number of extents.
    init?(code: UInt8, extents: [Int]) {
        guard extents.count == Self.extentCount(code: code) else { return nil }
        switch code {
        case 0: self = .vector(count: extents[0])
        case 1: self = .matrix(outputs: extents[0], inputs: extents[1])
        case 2:
            self = .convolution(
                outputs: extents[0], kernelHeight: extents[1], kernelWidth: extents[2], inputs: extents[3])
        case 3:
            self = .transposedConvolution(
                outputs: extents[0], kernel: extents[1], stride: extents[2], inputs: extents[3])
        default: self = .table(rows: extents[0], width: extents[1])
        }
    }

    /// For messages: what it is and its shape.
    package var summary: String {
        switch self {
        case .vector: "vector \(shape)"
        case .matrix: "matrix \(shape)"
        case .convolution: "convolution \(shape)"
        case .transposedConvolution(let outputs, let kernel, let stride, let inputs):
            "transposed convolution [\(inputs), \(outputs), \(kernel)] with stride \(stride)"
        case .table: "table \(shape)"
        }
    }
}

extension WeightDescription {
    private static let maximumElementCount = 1 << 40

    /// Why no weight can be like this, or nil. A description that passes has a `byteCount` that does not overflow.
    var fault: String? {
        guard role.extents.allSatisfy({ (1...Int(Int32.max)).contains($0) }) else {
            return "extents \(role.extents)"
        }
        // Each extent of the shape is now at most a product of two 31-bit numbers.
        guard let count = role.shape.checkedCount, count <= Self.maximumElementCount else {
            return "shape \(role.shape) is too large"
        }
        switch role {
        case .vector where format != .float32: return "a vector in \(format)"
        case .vector, .table: return activation == .float ? nil : "no product, but quantized activations"
        default: return activation == .float || format == .int8 ? nil : "quantized activations with \(format) weights"
        }
    }
}
