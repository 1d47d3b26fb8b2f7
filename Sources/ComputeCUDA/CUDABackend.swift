import CCUDA
import ComputeSupport
import Platform
import Synchronization
import Tensors

/// Computes on one of NVIDIA's GPUs. Tensors and weights stay in its memory; only `download` brings numbers back.
package final class CUDABackend: StageBackend {
    package let device: CUDADevice
    let pool: BufferPool
    let meter: OperationMeter
    /// True if this backend only counts memory.
    package let isCounting: Bool
    /// Whether products and attention are made by tensor cores, as far as the device has them.
    package let usesMMA: Bool
    /// What gets all work in the place of the device while it is recorded. A backend does one thing at a time.
    let recorder = Mutex<GraphRecorder?>(nil)
    private let room = Mutex(Room())

    /// - Parameter usesMMA: false for the kernels that every device has; nil for what suits the device.
    package convenience init(_ device: CUDADevice, usesMMA: Bool? = nil) {
        self.init(device, usesMMA: usesMMA ?? device.target.capability.hasMMA, counting: false)
    }

    private init(_ device: CUDADevice, usesMMA: Bool, counting: Bool) {
        self.device = device
        self.usesMMA = usesMMA && device.target.capability.hasMMA
        isCounting = counting
        meter = OperationMeter()
        pool = BufferPool(counting ? CountedDeviceMemory() as any MemorySource : DeviceMemory(device: device))
    }

    // MARK: Stages

    package var name: String { device.description }
    /// For what the host does: checking and decompressing weights.
    package var threadCount: Int { SystemProcessors.available }
    package var reservedBytes: Int { 0 }
    package var holdsWeights: Bool { true }
    package var availableBytes: Int? { (try? device.memory()).map { max($0.available - CUDADevice.reserve, 0) } }

    package func withOwnMemory() -> any StageBackend { CUDABackend(device, usesMMA: usesMMA, counting: false) }
    package func counting() -> any StageBackend { CUDABackend(device, usesMMA: usesMMA, counting: true) }

    package var peakActivationBytes: Int { pool.peakBytes }
    package func resetPeak(keeping limit: Int) { pool.resetPeak(keeping: limit) }
    package func trim() { pool.trim() }

    package func synchronize() throws {
        try requireHost("synchronization")
        if !isCounting { try device.synchronize() }
    }

    package var reading: DeviceReading? { isCounting ? nil : device.reading }

    package func startMetering() { meter.enable() }
    package var operationTotals: [String: OperationTotal] { meter.totals }
    package var peakProductsPerSecond: Double? { nil }

    // MARK: Memory

    /// The slab of the component that is being loaded: its weights keep it, and nobody else.
    private struct Room {
        weak var slab: WeightSlab?
    }

    /// Where weights go while there is room.
    var slab: WeightSlab? { room.withLock { $0.slab } }

    package func room(for weights: [WeightDescription]) throws -> AnyObject? {
        let held = weights.filter { if case .table = $0.role { false } else { true } }
        guard !held.isEmpty else { return nil }
        let slab = try WeightSlab.making(roomFor: held, on: self)
        room.withLock { $0.slab = slab }
        return slab
    }

    package func prepare(_ data: any WeightData) throws -> any Weight { try CUDAWeight(data, on: self) }

    package func empty(_ shape: Shape) throws -> Tensor {
        Tensor(shape: shape, storage: try DeviceStorage(shape.count * MemoryLayout<Float>.size, on: self))
    }

    package func upload(_ values: [Float], _ shape: Shape) throws -> Tensor {
        guard values.count == shape.count else {
            throw TensorError.shapeMismatch(operation: "upload", expected: "\(values.count) elements", found: shape)
        }
        return Tensor(shape: shape, storage: try stored(values))
    }

    /// A copy of host values in the device's memory.
    func stored<Value: BitwiseCopyable>(_ values: [Value]) throws -> DeviceStorage {
        let storage = try DeviceStorage(values.count * MemoryLayout<Value>.stride, on: self)
        try values.withUnsafeBytes { try copyIn($0, to: storage.address) }
        return storage
    }

    /// Copies to the device, after all work that was given before.
    func copyIn(_ bytes: UnsafeRawBufferPointer, to address: UInt64) throws {
        try requireHost("an upload")
        if !isCounting { try device.copyIn(bytes, to: address) }
    }

    package func download(_ tensor: Tensor) throws -> [Float] {
        try requireHost("a download")
        let address = try address(tensor, "download")
        var values = [Float](repeating: 0, count: tensor.shape.count)
        if !isCounting { try values.withUnsafeMutableBytes { try device.copyOut(address, into: $0) } }
        return values
    }

    package func tensor(_ vector: any Weight) throws -> Tensor {
        let address = try address(vector, "tensor")
        let y = try empty([vector.description.role.shape.count])
        try copy(
            runs: 1, length: y.shape.count, from: address, stride: 0, to: try self.address(y, "tensor"), stride: 0)
        return y
    }

    // MARK: Work

    /// Measures an operation: with the time until the device is done with it.
    func measured<Result>(_ name: String, products: Int = 0, _ body: () throws -> Result) throws -> Result {
        guard let span = meter.begin(name, products: products) else { return try body() }
        let result = try body()
        try synchronize()
        meter.end(span)
        return result
    }

    /// - Throws: `TensorError.shapeMismatch` for more blocks than a device can number.
    func launch<Arguments>(_ kernel: Kernel, _ arguments: Arguments, grid: (x: Int, y: Int, z: Int)) throws {
        guard grid.x > 0, grid.y > 0, grid.z > 0 else { return }
        guard grid.x <= Int32.max, grid.y <= 65535, grid.z <= 65535 else {
            throw TensorError.shapeMismatch(
                operation: kernel.rawValue, expected: "fewer blocks", found: [grid.x, grid.y, grid.z])
        }
        if !isCounting { try device.launch(kernel, arguments, grid: grid, on: recorder.withLock(\.self)) }
    }

    /// Launches a kernel whose threads take as many elements as they must.
    func launch<Arguments>(_ kernel: Kernel, _ arguments: Arguments, elements: Int) throws {
        let blocks = (elements + Int(CUDA_BLOCK) - 1) / Int(CUDA_BLOCK)
        try launch(kernel, arguments, grid: (min(blocks, 16 * device.processors), 1, 1))
    }

    // MARK: Checks

    func address(_ tensor: Tensor, _ operation: String) throws -> UInt64 {
        guard let storage = tensor.storage as? DeviceStorage, storage.device === device else {
            throw TensorError.foreignStorage(operation: operation)
        }
        return storage.address + UInt64(tensor.offset * MemoryLayout<Float>.size)
    }

    func address(_ weight: any Weight, _ operation: String) throws -> UInt64 {
        try own(weight, operation).address(operation)
    }

    func own(_ weight: any Weight, _ operation: String) throws -> CUDAWeight {
        guard let weight = weight as? CUDAWeight, weight.canServe(device) else {
            throw TensorError.foreignStorage(operation: operation)
        }
        return weight
    }

    /// The address of a vector weight, one value per channel of `x`.
    func vector(_ weight: any Weight, for x: Tensor, _ operation: String) throws -> UInt64 {
        let found = weight.description.role.shape
        try require(found == [x.shape.last], operation, "a vector of \(x.shape.last)", found)
        return try address(weight, operation)
    }

    /// An extent as kernels count it.
    func int(_ value: Int, _ operation: String) throws -> Int32 {
        guard let value = Int32(exactly: value) else {
            throw TensorError.shapeMismatch(operation: operation, expected: "fewer than 2³¹", found: [value])
        }
        return value
    }
}

extension Activation {
    /// As kernels know it.
    var arguments: cuda_activation {
        let (kind, slope): (Int, Float) =
            switch self {
            case .none: (Int(CUDA_NONE), 0)
            case .silu: (Int(CUDA_SILU), 0)
            case .gelu: (Int(CUDA_GELU), 0)
            case .geluTanh: (Int(CUDA_GELU_TANH), 0)
            case .relu: (Int(CUDA_RELU), 0)
            case .leakyRelu(let slope): (Int(CUDA_LEAKY_RELU), slope)
            case .tanh: (Int(CUDA_TANH), 0)
            }
        return cuda_activation(kind: Int32(kind), slope: slope)
    }
}
