import CKernels
import Tensors

extension CPUBackend {
    package func normalizeChannels(_ x: Tensor, mean: any Weight, deviation: any Weight) throws -> Tensor {
        let name = "normalization"
        let span = meter.begin(name)
        defer { meter.end(span) }
        let (means, deviations) = (try vector(mean, for: x, name), try vector(deviation, for: x, name))
        let scales = deviations.map { 1 / $0 }
        let shifts = zip(means, deviations).map { Float(-Double($0) / Double($1)) }
        let (channels, y) = (x.shape.last, try empty(x.shape))
        let (source, target) = (try floats(x, name), try floats(y, name))
        forBlocks(of: x.shape.rows, size: rowsPerTask(channels)) { rows, _ in
            let offset = rows.lowerBound * channels
            kernels.scale_shift(source + offset, rows.count, channels, scales, shifts, KERNELS_NONE, target + offset)
        }
        return y
    }

    package func pool(_ x: Tensor, _ kind: Pooling, height: Int, width: Int) throws -> Tensor {
        let span = meter.begin("pool")
        defer { meter.end(span) }
        let shape = try TensorError.pooledShape(x.shape, height: height, width: width)
        let y = try empty(shape)
        let (source, target) = (try floats(x, "pool"), try floats(y, "pool"))
        let (columns, channels) = (shape[2], shape[3])
        let line = x.shape[2] * channels
        forBlocks(of: shape.rows, size: rowsPerTask(channels * height * width)) { places, _ in
            for place in places {
                let (row, column) = place.quotientAndRemainder(dividingBy: columns)
                kernels.pool(
                    source + row * height * line + column * width * channels, height, line, width, channels,
                    kind == .maximum, target + place * channels)
            }
        }
        return y
    }
}
