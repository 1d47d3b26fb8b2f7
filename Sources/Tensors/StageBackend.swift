/// A backend that whole stages of a model run on: its memory can be planned, and its work counted.
package protocol StageBackend: Backend {
    /// What computes: "avx512vnni", "cuda:0 (NVIDIA H100, sm_90)".
    var name: String { get }
    /// Threads of the host that it may use.
    var threadCount: Int { get }
    /// What is kept on the host beside activations and weights, in bytes.
    var reservedBytes: Int { get }
    /// Whether weights are copied into the memory that is counted here, rather than used where the pack has them.
    var holdsWeights: Bool { get }
    /// What the device can give, in bytes; nil for the host.
    var availableBytes: Int? { get }
    /// The same device with memory of its own.
    func withOwnMemory() -> any StageBackend
    /// Does all that this backend would do except to compute: so a forward pass tells how much memory it needs.
    ///
    /// Tensors have sizes and no contents; what is downloaded is zero.
    /// - Throws: `TensorError.outOfMemory`.
    func counting() throws -> any StageBackend

    /// Makes room for weights that will be prepared, where the backend holds them: they take it one by one, and keep it.
    /// - Returns: what to hold until they are prepared.
    /// - Throws: `TensorError.outOfMemory`; what the device throws.
    func room(for weights: [WeightDescription]) throws -> AnyObject?

    /// The most memory that activations took since `resetPeak(keeping:)`, in bytes.
    var peakActivationBytes: Int { get }
    /// Counts the peak from now on.
    /// - Parameter limit: how much memory may be held in all, in bytes, before unused memory is given back rather than
    ///   kept for reuse.
    func resetPeak(keeping limit: Int)
    /// Gives memory that no tensor uses back; call it between stages.
    func trim()

    /// Waits until all work is done that was given to the device.
    func synchronize() throws
    /// What the device's sensors say now; nil where there are none.
    var reading: DeviceReading? { get }
    /// Forgets what operations have cost, and counts from now on.
    func startMetering()
    /// What operations have cost since `startMetering`.
    var operationTotals: [String: OperationTotal] { get }
    /// Multiply-accumulates per second that are possible at most; nil where that is not known how to measure.
    var peakProductsPerSecond: Double? { get }
}

extension StageBackend {
    package func room(for weights: [WeightDescription]) throws -> AnyObject? { nil }
}

/// What a device's sensors say.
package struct DeviceReading: Sendable, Hashable {
    /// Of all programs, in bytes.
    package let usedBytes: Int
    /// Share of the last moment in which something was computed, 0…1; nil where the device does not tell, as parts of a
    /// GPU do not.
    package let utilization: Double?
    /// Nil where the device does not tell.
    package let watts: Double?

    package init(usedBytes: Int, utilization: Double?, watts: Double?) {
        (self.usedBytes, self.utilization, self.watts) = (usedBytes, utilization, watts)
    }
}
