import CCUDA
import Tensors

/// NVML, for one device.
final class DeviceMonitor: @unchecked Sendable {
    // Unchecked: a handle of the library, which may be used from any thread.
    private let functions: cuda_monitor
    private let device: cuda_handle?

    /// - Returns: nil if the library does not start, or does not know the device.
    init?(_ functions: cuda_monitor, busID: String) {
        guard functions.`init`() == 0 else { return nil }
        var device: cuda_handle?
        guard functions.device(busID, &device) == 0 else {
            _ = functions.shutdown()
            return nil
        }
        (self.functions, self.device) = (functions, device)
    }

    deinit { _ = functions.shutdown() }

    func reading() -> DeviceReading? {
        var memory = cuda_memory_use()
        var utilization = cuda_utilization()
        guard functions.memory(device, &memory) == 0 else { return nil }
        let hasUtilization = functions.utilization(device, &utilization) == 0
        var milliwatts: UInt32 = 0
        let hasPower = functions.power(device, &milliwatts) == 0
        return DeviceReading(
            usedBytes: Int(clamping: memory.used),
            utilization: hasUtilization ? Double(utilization.device) / 100 : nil,
            watts: hasPower ? Double(milliwatts) / 1000 : nil)
    }
}
