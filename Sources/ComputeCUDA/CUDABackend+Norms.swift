import CCUDA
import Tensors

extension CUDABackend {
    package func layerNorm(_ x: Tensor, epsilon: Float, scale: any Weight, shift: any Weight) throws -> Tensor {
        try rowNorm(.layerNorm, x, epsilon: epsilon, scale: scale, shift: shift)
    }

    package func rmsNorm(_ x: Tensor, epsilon: Float, scale: any Weight) throws -> Tensor {
        try rowNorm(.rmsNorm, x, epsilon: epsilon, scale: scale)
    }

    package func l2Normalize(_ x: Tensor) throws -> Tensor { try rowNorm(.l2Normalize, x, epsilon: 0) }

    private func rowNorm(
        _ kernel: Kernel, _ x: Tensor, epsilon: Float, scale: (any Weight)? = nil, shift: (any Weight)? = nil
    ) throws -> Tensor {
        try measured(kernel.rawValue) {
            let y = try empty(x.shape)
            let name = kernel.rawValue
            let arguments = cuda_row_norm(
                x: try address(x, name), scale: try scale.map { try vector($0, for: x, name) } ?? 0,
                shift: try shift.map { try vector($0, for: x, name) } ?? 0, y: try address(y, name),
                rows: try int(x.shape.rows, name), channels: try int(x.shape.last, name), epsilon: epsilon)
            let warps = Int(CUDA_WARPS)
            try launch(kernel, arguments, grid: ((x.shape.rows + warps - 1) / warps, 1, 1))
            return y
        }
    }

    package func groupNorm(
        _ x: Tensor, groups: Int, epsilon: Float, scale: any Weight, shift: any Weight, activation: Activation
    ) throws -> Tensor {
        let channels = x.shape.last
        try require(
            x.shape.rank >= 2 && groups > 0 && channels % groups == 0 && x.shape[0] > 0, "groupNorm",
            "a multiple of \(groups) channels", x.shape)
        return try measured("groupNorm") {
            let (samples, name) = (x.shape[0], "groupNorm")
            let rows = x.shape.rows / samples
            let y = try empty(x.shape)
            // Parts of about 4096 values, so that few groups keep all processors busy.
            let partCount = min(max(rows * (channels / groups) >> 12, 1), Int(CUDA_MOST_PARTS))
            let parts = try DeviceStorage(
                samples * groups * partCount * 2 * MemoryLayout<Double>.size, on: self)
            let factors = try DeviceStorage(samples * 2 * channels * MemoryLayout<Float>.size, on: self)
            let arguments = cuda_group_norm(
                x: try address(x, name), scale: try vector(scale, for: x, name), shift: try vector(shift, for: x, name),
                parts: parts.address, factors: factors.address, y: try address(y, name),
                samples: try int(samples, name), rows: try int(rows, name), channels: try int(channels, name),
                groups: try int(groups, name), part_count: try int(partCount, name), epsilon: epsilon,
                activation: activation.arguments)
            try launch(.groupMoments, arguments, grid: (partCount, samples * groups, 1))
            let block = Int(CUDA_BLOCK)
            try launch(.groupFactors, arguments, grid: ((samples * channels + block - 1) / block, 1, 1))
            try launch(.scaleShift, arguments, elements: x.shape.count)
            return y
        }
    }
}
