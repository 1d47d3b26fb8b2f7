import Conformance
import Tensors

extension CUDABackend {
    /// A backend on a device whose kernels have been compared with the CPU's: at the first use of these kernels with such
    /// a device, driver and compiler; that they are right is kept beside the kernels, if it can be. Where only the tensor
    /// cores disagree, products are made without them. What is wrong is looked at again: another build of the driver may
    /// have mended it.
    /// - Parameter reference: makes what is known to be right.
    /// - Throws: `CUDAError.disagreement`, and what the device throws.
    package convenience init(checking device: CUDADevice, against reference: () throws -> any Backend) throws {
        let outcome = try device.checkOutcome ?? Self.outcome(on: device, against: reference())
        self.init(device, usesMMA: outcome == .mma)
    }

    /// Checks a device, with tensor cores and, where these disagree, without; and notes what is right.
    /// - Throws: `CUDAError.disagreement` if neither is, and what the device throws.
    private static func outcome(on device: CUDADevice, against reference: any Backend) throws -> CheckOutcome {
        func passed(_ outcome: CheckOutcome) throws -> CheckOutcome {
            try CUDABackend(device, usesMMA: outcome == .mma).check(against: reference)
            device.note(outcome)
            return outcome
        }
        guard device.target.capability.hasMMA else { return try passed(.plain) }
        do {
            return try passed(.mma)
        } catch CUDAError.disagreement {
            return try passed(.plain)
        }
    }

    /// - Throws: `CUDAError.disagreement` with the first operation that differs.
    package func check(against reference: any Backend) throws {
        do {
            try OperationSuite().run(self, against: reference)
        } catch let found as OperationSuite.Disagreement {
            throw CUDAError.disagreement(operation: found.operation, error: found.error)
        }
    }
}

/// How a device's kernels were found to be right.
package enum CheckOutcome: String, Sendable {
    /// Right, with tensor cores where the device has them.
    case mma
    /// Right without tensor cores.
    case plain
}
