import CKernels
import Tensors

extension WeightDescription {
    /// Of a table from which rows are to be read.
    /// - Throws: `TensorError.shapeMismatch` if this is no table, or lacks one of the rows.
    package func tableWidth(for ids: [Int]) throws -> Int {
        guard case .table(let rows, let width) = role else {
            throw TensorError.shapeMismatch(operation: "gather", expected: "a table", found: role.shape)
        }
        if let id = ids.first(where: { !(0..<rows).contains($0) }) {
            throw TensorError.shapeMismatch(
                operation: "gather", expected: "an id below \(rows), not \(id)", found: role.shape)
        }
        return width
    }
}

extension WeightData {
    /// Rows of a table as floats, one after the other. The ids must have passed `tableWidth(for:)`.
    package func expandRows(_ ids: [Int], into target: UnsafeMutablePointer<Float>) throws {
        try expandRows(ids, into: target, kernels_current().pointee)
    }

    /// - Parameter kernels: the host's, which expand numbers.
    package func expandRows(
        _ ids: [Int], into target: UnsafeMutablePointer<Float>, _ kernels: CKernels.kernels
    ) throws {
        let width = description.role.inputs
        let rowBytes = width * description.format.elementSize
        for (index, id) in ids.enumerated() {
            let row = target + index * width
            try withBytes(in: id * rowBytes..<(id + 1) * rowBytes) { bytes in
                guard let base = bytes.baseAddress else { return }
                switch description.format {
                case .float32: UnsafeMutableRawPointer(row).copyMemory(from: base, byteCount: rowBytes)
                case .float16: kernels.expand_f16(base.assumingMemoryBound(to: UInt16.self), width, row)
                case .int8: kernels.expand_s8(base.assumingMemoryBound(to: Int8.self), width, 1, row)
                }
            }
        }
        guard description.format == .int8 else { return }
        // Scales lie behind all rows: read after them, so that a table read in pieces is read in order.
        let scales = Int8Layout(role: description.role).scalesOffset
        for (index, id) in ids.enumerated() {
            let scale = try withBytes(in: scales + 4 * id..<scales + 4 * (id + 1)) {
                $0.loadUnaligned(as: Float.self)
            }
            let row = target + index * width
            for column in 0..<width { row[column] *= scale }
        }
    }
}
