import CKernels
import Tensors

extension WeightDescription {
    /// The same weight for inputs without factors, in float16, for backends that know no factors.
    /// - Parameter bytes: of a weight that has them.
    /// - Returns: nil for other weights.
    package func withoutInputFactors(
        _ bytes: UnsafeRawBufferPointer
    ) -> (description: WeightDescription, bytes: [UInt8])? {
        guard hasInputFactors, bytes.count >= byteCount, let base = bytes.baseAddress else { return nil }
        let kernels = kernels_current().pointee
        let (outputs, inputs) = (role.outputs, role.inputs)
        let factors = (base + Int8Layout(role: role).byteCount).assumingMemoryBound(to: Float.self)
        let description = WeightDescription(role: role, format: .float16)
        var halves = [UInt8](repeating: 0, count: description.byteCount)
        let rows = FloatRows(bytes, self)
        halves.withUnsafeMutableBytes { halves in
            guard let target = halves.baseAddress?.assumingMemoryBound(to: UInt16.self) else { return }
            withUnsafeTemporaryAllocation(of: Float.self, capacity: rows.width) { row in
                guard let scratch = row.baseAddress else { return }
                for output in 0..<outputs {
                    _ = rows.rows(output..<output + 1, scratch: scratch, kernels)
                    for place in 0..<rows.width { scratch[place] *= factors[place % inputs] }
                    kernels.narrow_f16(scratch, rows.width, target + output * rows.width)
                }
            }
        }
        return (description, halves)
    }
}
