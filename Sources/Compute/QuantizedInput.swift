import CKernels
import Tensors

/// Activations as unsigned bytes around 128, with the factor that undoes it: per row, or per sample.
struct QuantizedInput {
    let storage: HostStorage
    let scales: HostStorage
    let rowCount: Int
    /// Bytes per row: channels rounded up to 4.
    let stride: Int
    /// Rows that share a scale.
    let rowsPerScale: Int

    var bytes: UnsafePointer<UInt8> { UnsafeRawPointer(storage.floats).assumingMemoryBound(to: UInt8.self) }

    func scale(ofRow row: Int) -> UnsafePointer<Float> { UnsafePointer(scales.floats) + row / rowsPerScale }

    /// - Parameters:
    ///   - rowsPerScale: 1, or all the rows of a sample.
    ///   - activation: applied first.
    init(
        rows: UnsafePointer<Float>, count: Int, channels: Int, rowsPerScale: Int,
        activation: Activation = .none, on cpu: CPUBackend
    ) throws {
        stride = (channels + 3) / 4 * 4
        rowCount = count
        self.rowsPerScale = rowsPerScale
        storage = try HostStorage(count * stride, on: cpu)
        scales = try HostStorage((count + rowsPerScale - 1) / rowsPerScale * MemoryLayout<Float>.size, on: cpu)
        let job = Job(
            rows: rows, channels: channels, stride: stride, activation: activation, kernels: cpu.kernels,
            target: UnsafeMutableRawPointer(storage.floats).assumingMemoryBound(to: UInt8.self))
        if rowsPerScale == 1 {
            quantizeRows(job, cpu)
        } else {
            try quantizeSamples(job, cpu)
        }
    }

    private struct Job {
        let rows: UnsafePointer<Float>
        let channels: Int
        let stride: Int
        let activation: Activation
        let kernels: Kernels
        let target: UnsafeMutablePointer<UInt8>

        /// The row after its activation: in place, or in `scratch`.
        func activated(_ row: Int, _ scratch: UnsafeMutablePointer<Float>) -> UnsafePointer<Float> {
            let source = rows + row * channels
            guard activation != .none else { return source }
            let (kind, slope) = activation.kernel
            kernels.activate(source, channels, kind, slope, scratch)
            return UnsafePointer(scratch)
        }

        func quantize(_ row: Int, scale: Float, _ scratch: UnsafeMutablePointer<Float>) {
            kernels.quantize_u8(
                activated(row, scratch), channels, stride, scale > 0 ? 1 / scale : 0, target + row * stride)
        }
    }

    private func quantizeRows(_ job: Job, _ cpu: CPUBackend) {
        let scales = scales.floats
        cpu.forBlocks(of: rowCount, size: cpu.rowsPerTask(job.channels)) { rows, _ in
            withUnsafeTemporaryAllocation(of: Float.self, capacity: job.channels) { scratch in
                guard let scratch = scratch.baseAddress else { return }
                for row in rows {
                    let scale = cpu.kernels.absolute_maximum(job.activated(row, scratch), job.channels) / 127
                    scales[row] = scale
                    job.quantize(row, scale: scale, scratch)
                }
            }
        }
    }

    private func quantizeSamples(_ job: Job, _ cpu: CPUBackend) throws {
        let block = cpu.rowsPerTask(job.channels)
        let blocks = (rowsPerScale + block - 1) / block
        let samples = rowCount / rowsPerScale
        let maxima = try HostStorage(samples * blocks * MemoryLayout<Float>.size, on: cpu)
        func forBlocks(_ body: (_ sample: Int, _ block: Int, _ rows: Range<Int>, UnsafeMutablePointer<Float>) -> Void) {
            cpu.threads.run(samples * blocks) { task, _ in
                let (sample, index) = task.quotientAndRemainder(dividingBy: blocks)
                let first = sample * rowsPerScale + index * block
                let last = min(first + block, (sample + 1) * rowsPerScale)
                withUnsafeTemporaryAllocation(of: Float.self, capacity: job.channels) { scratch in
                    if let scratch = scratch.baseAddress { body(sample, index, first..<last, scratch) }
                }
            }
        }
        forBlocks { sample, index, rows, scratch in
            maxima.floats[sample * blocks + index] = rows.reduce(0) { maximum, row in
                max(maximum, cpu.kernels.absolute_maximum(job.activated(row, scratch), job.channels))
            }
        }
        for sample in 0..<samples {
            let ofSample = UnsafeBufferPointer(start: maxima.floats + sample * blocks, count: blocks)
            scales.floats[sample] = (ofSample.max() ?? 0) / 127
        }
        forBlocks { sample, _, rows, scratch in
            for row in rows { job.quantize(row, scale: scales.floats[sample], scratch) }
        }
    }
}
