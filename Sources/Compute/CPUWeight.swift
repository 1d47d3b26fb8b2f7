import CKernels
import ComputeSupport
import Tensors

/// A weight as the pack holds it: the CPU reads it where it is.
final class CPUWeight: Weight {
    let data: any WeightData
    var description: WeightDescription { data.description }

    init(_ data: any WeightData) { self.data = data }

    /// The values of a `.vector` weight.
    func vector() throws -> [Float] {
        try data.withBytes { Array($0.bindMemory(to: Float.self)) }
    }

    /// Calls `body` with a vector's values in place, or with nil for no vector.
    static func withVector<Result>(
        _ weight: CPUWeight?, _ body: (UnsafePointer<Float>?) throws -> Result
    ) throws -> Result {
        guard let weight else { return try body(nil) }
        return try weight.data.withBytes { try body($0.bindMemory(to: Float.self).baseAddress) }
    }
}
