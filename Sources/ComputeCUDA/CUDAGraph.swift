import CCUDA

/// Records what a device is told, on a stream of its own: so whoever else uses the device neither waits nor is recorded.
final class GraphRecorder: @unchecked Sendable {
    // Unchecked: used by the thread that records.
    let stream: cuda_handle
    private let device: CUDADevice
    private let graphs: cuda_graphs
    private var isRecording = false

    /// Records from now on.
    /// - Throws: `CUDAError`.
    init(_ device: CUDADevice) throws {
        guard let graphs = device.graphs else {
            throw CUDAError.call("cuStreamBeginCapture_v2", result: "the driver does not have it")
        }
        var stream: cuda_handle?
        // CU_STREAM_NON_BLOCKING
        try device.call("cuStreamCreate") { device.driver.stream_create(&stream, 1) }
        guard let stream else { throw CUDAError.call("cuStreamCreate", result: "no stream") }
        (self.stream, self.device, self.graphs) = (stream, device, graphs)
        try device.call("cuStreamBeginCapture") { graphs.begin(stream, Int32(CUDA_CAPTURE_THREAD_LOCAL)) }
        isRecording = true
    }

    deinit {
        if isRecording, let graph = try? end() { _ = graphs.destroy(graph) }
        try? device.call("cuStreamDestroy") { device.driver.stream_destroy(stream) }
    }

    /// What was recorded.
    /// - Throws: `CUDAError`: something on the way could not be recorded.
    func finish() throws -> ExecutableGraph {
        let graph = try end()
        defer { _ = graphs.destroy(graph) }
        return try ExecutableGraph(graph, device, graphs)
    }

    private func end() throws -> cuda_handle {
        isRecording = false
        var graph: cuda_handle?
        try device.call("cuStreamEndCapture") { graphs.end(stream, &graph) }
        guard let graph else { throw CUDAError.call("cuStreamEndCapture", result: "no graph") }
        return graph
    }
}

/// Recorded work, as the device takes it.
final class ExecutableGraph: @unchecked Sendable {
    // Unchecked: a handle of the driver, which one thread uses at a time.
    private let executable: cuda_handle
    private let device: CUDADevice
    private let graphs: cuda_graphs

    fileprivate init(_ graph: cuda_handle, _ device: CUDADevice, _ graphs: cuda_graphs) throws {
        var executable: cuda_handle?
        try device.call("cuGraphInstantiateWithFlags") { graphs.instantiate(&executable, graph, 0) }
        guard let executable else { throw CUDAError.call("cuGraphInstantiateWithFlags", result: "no graph") }
        (self.executable, self.device, self.graphs) = (executable, device, graphs)
    }

    deinit {
        // Not while the device is at it.
        try? device.synchronize()
        try? device.call("cuGraphExecDestroy") { graphs.destroy_executable(executable) }
    }

    /// Does the work, behind all that the device was told before.
    func launch() throws { try device.call("cuGraphLaunch") { graphs.launch(executable, device.stream) } }
}
