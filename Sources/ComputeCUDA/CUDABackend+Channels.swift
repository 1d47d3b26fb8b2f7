import CCUDA
import Tensors

extension CUDABackend {
    package func normalizeChannels(_ x: Tensor, mean: any Weight, deviation: any Weight) throws -> Tensor {
        let name = "normalization"
        return try measured(name) {
            let y = try empty(x.shape)
            let arguments = cuda_normalize(
                x: try address(x, name), mean: try vector(mean, for: x, name),
                deviation: try vector(deviation, for: x, name), y: try address(y, name), count: Int64(x.shape.count),
                channels: try int(x.shape.last, name))
            try launch(.normalizeChannels, arguments, elements: x.shape.count)
            return y
        }
    }

    package func blend(_ x: Tensor, _ known: Tensor, kept: Tensor) throws -> Tensor {
        try TensorError.requireBlendable(x, known, kept: kept)
        let name = "blend"
        return try measured(name) {
            let y = try empty(x.shape)
            let arguments = cuda_blend(
                x: try address(x, name), known: try address(known, name), kept: try address(kept, name),
                y: try address(y, name), count: Int64(x.shape.count), positions: try int(kept.shape.count, name),
                channels: try int(x.shape.last, name))
            try launch(.blend, arguments, elements: x.shape.count)
            return y
        }
    }

    package func pool(_ x: Tensor, _ kind: Pooling, height: Int, width: Int) throws -> Tensor {
        let name = "pool"
        let shape = try TensorError.pooledShape(x.shape, height: height, width: width)
        return try measured(name) {
            let y = try empty(shape)
            let arguments = cuda_pool(
                x: try address(x, name), y: try address(y, name), count: Int64(shape.count),
                columns: try int(shape[2], name), channels: try int(shape[3], name), height: try int(height, name),
                width: try int(width, name), maximum: kind == .maximum ? 1 : 0)
            try launch(.pool, arguments, elements: shape.count)
            return y
        }
    }

    package func accumulate(_ x: Tensor, factors: Tensor, into sums: Tensor, at start: Int) throws {
        try TensorError.requireAccumulable(x, factors: factors, into: sums, at: start)
        let name = "accumulate"
        let touched = min(x.shape[1], sums.shape[1])
        try measured(name) {
            let arguments = cuda_accumulate(
                x: try address(x, name), factors: try address(factors, name), sums: try address(sums, name),
                samples: try int(x.shape[0], name), rows: try int(x.shape[1], name), touched: try int(touched, name),
                total: try int(sums.shape[1], name), start: try int(start, name), channels: try int(x.shape[2], name))
            try launch(.accumulateRows, arguments, elements: x.shape[0] * touched * x.shape[2])
        }
    }

    package func divideRows(_ x: Tensor, by divisors: Tensor) throws -> Tensor {
        let name = "division"
        try TensorError.requireRowNumbers(divisors, for: x, name)
        return try measured(name) {
            let y = try empty(x.shape)
            let arguments = cuda_divide(
                x: try address(x, name), divisors: try address(divisors, name), y: try address(y, name),
                count: Int64(x.shape.count), rows: try int(x.shape[1], name), channels: try int(x.shape[2], name))
            try launch(.divideRows, arguments, elements: x.shape.count)
            return y
        }
    }
}
