import Checkpoints
import Tensors

/// How a checkpoint tensor's elements lie, compared with the weight's rows.
enum StoredArrangement: Hashable, Sendable {
    case consecutive
    case channelsLast(inputs: Int, taps: Int)
    case transposed
    case transposedConvolution(stride: Int)

    /// What a tensor of `shape` holds of a weight with `role`: nothing if the shape does not fit, else all of its rows or
    /// (in a joined weight) some.
    static func find(_ shape: Shape, for role: WeightRole, isTransposed: Bool) -> (arrangement: Self, rows: Int)? {
        if let found = find(shape.extents, for: role, isTransposed: isTransposed) { return found }
        // Parameters that the reference adds or multiplies directly have an axis for the batch.
        guard shape.rank == 3, shape[0] == 1 else { return nil }
        return find(Array(shape.extents.dropFirst()), for: role, isTransposed: isTransposed)
    }

    private static func find(
        _ extents: [Int], for role: WeightRole, isTransposed: Bool
    ) -> (arrangement: Self, rows: Int)? {
        switch role {
        case .vector:
            let long = extents.filter { $0 != 1 }
            return long.count <= 1 ? (.consecutive, long.first ?? 1) : nil
        case .matrix(_, let inputs) where isTransposed, .table(_, let inputs) where isTransposed:
            // A picture of one row or one column is a matrix too.
            let matrix = extents.count == 4 && extents[0] == 1 ? [extents[1], extents[2] * extents[3]] : extents
            let isMatrix = matrix == extents || extents[2] == 1 || extents[3] == 1
            return isMatrix && matrix.count == 2 && matrix[0] == inputs ? (.transposed, matrix[1]) : nil
        case .matrix(_, let inputs):
            // A 1×1 convolution is a matrix.
            let isMatrix = extents.count >= 2 && extents[1] == inputs && extents.dropFirst(2).allSatisfy { $0 == 1 }
            return isMatrix ? (.consecutive, extents[0]) : nil
        case .table(_, let width):
            // Tables of positions have a batch axis of one.
            let isTable = extents.count >= 2 && extents.last == width && extents.dropLast(2).allSatisfy { $0 == 1 }
            return isTable ? (.consecutive, extents[extents.count - 2]) : nil
        case .convolution(_, let height, let width, let inputs):
            guard extents.count >= 2, extents[1] == inputs, isKernel(Array(extents.dropFirst(2)), height, width) else {
                return nil
            }
            let taps = height * width
            return (taps == 1 || inputs == 1 ? .consecutive : .channelsLast(inputs: inputs, taps: taps), extents[0])
        case .transposedConvolution(let outputs, let kernel, let stride, let inputs):
            return extents == [inputs, outputs, kernel]
                ? (.transposedConvolution(stride: stride), stride * outputs) : nil
        }
    }

    /// 1-D kernels have no width, and a matrix is a 1×1 convolution.
    private static func isKernel(_ extents: [Int], _ height: Int, _ width: Int) -> Bool {
        extents == [height, width] || width == 1 && extents == [height] || height * width == 1 && extents.isEmpty
    }

    /// - Parameters:
    ///   - rows, width: of the weight's part that the tensor holds.
    func rows(of tensor: any SourceTensor, count: Int, width: Int) throws -> any RowReader {
        switch self {
        case .consecutive: ConsecutiveRows(tensor: tensor, rowCount: count, width: width)
        case .channelsLast(let inputs, let taps):
            ChannelsLastRows(tensor: tensor, rowCount: count, inputs: inputs, taps: taps)
        case .transposed: try TransposedRows(tensor, rowCount: count, width: width)
        case .transposedConvolution(let stride): try TransposedConvolutionRows(tensor, stride: stride)
        }
    }
}

extension WeightRole {
    /// The shape in which the reference implementations store such a weight.
    var referenceShape: Shape {
        switch self {
        case .vector, .matrix, .table: shape
        case .convolution(let outputs, let height, 1, let inputs): [outputs, inputs, height]
        case .convolution(let outputs, let height, let width, let inputs): [outputs, inputs, height, width]
        case .transposedConvolution(let outputs, let kernel, _, let inputs): [inputs, outputs, kernel]
        }
    }

    /// Numbers in a row of the stored shape.
    package var rowWidth: Int { shape.extents.dropFirst().reduce(1, *) }
}
