import Foundation
import Tensors
import WeightFile

/// A spectrogram as a square picture: normalized by band, stretched in time, folded.
///
/// transformers `ClapAudioEncoder.reshape_mel2img`; the batch norm before it is a scale and a shift by conversion.
///
/// Made on the host, where the spectrogram is, once for a sound: as operations of the backend it would be the same upload and
/// six more steps, and all that comes back from a device is a number or two for each band.
package struct CLAPPicture: Sendable {
    private let scale: any Weight
    private let shift: any Weight
    private let bands: Int
    private let side: Int
    private let foldCount: Int

    package init(_ config: CLAPAudioConfig, _ weights: WeightScope) throws {
        bands = config.audioConfig.numMelBins
        side = config.audioConfig.specSize
        foldCount = config.foldCount
        scale = try weights.vector("weight", bands)
        shift = try weights.vector("bias", bands)
    }

    /// - Parameter sounds: `[frames, bands]` each, with at least two frames and no more than the picture has room for.
    /// - Returns: `[sounds, side, side, 1]`: rows are bands, those of later pieces below those of earlier ones; columns are time.
    package func callAsFunction(_ sounds: [[Float]], on backend: any Backend) throws -> Tensor {
        let (scale, shift) = (try backend.tensor(scale).values(), try backend.tensor(shift).values())
        let pictures = try sounds.mapInParallel(on: backend) { try picture($0, scale, shift) }
        return try backend.upload(pictures.flatMap(\.self), [sounds.count, side, side, 1])
    }

    private func picture(_ features: [Float], _ scale: [Float], _ shift: [Float]) throws -> [Float] {
        let width = side * foldCount
        let frames = features.count / bands
        guard frames >= 2, frames <= width, frames * bands == features.count else {
            throw TensorError.shapeMismatch(
                operation: "CLAP features", expected: "2…\(width) frames of \(bands) bands", found: [frames, bands])
        }
        let normalized = features.indices.map { features[$0] * scale[$0 % bands] + shift[$0 % bands] }
        var picture = [Float](repeating: 0, count: side * side)
        for column in 0..<width {
            let taps = CubicTaps(column, of: width, from: frames)
            let (piece, place) = column.quotientAndRemainder(dividingBy: side)
            for (index, weight) in zip(taps.indices, taps.weights) {
                for band in 0..<bands {
                    picture[(piece * bands + band) * side + place] += weight * normalized[index * bands + band]
                }
            }
        }
        return picture
    }
}

/// Where a stretched signal is read to make one of its samples: cubic convolution (Keys 1981) with a = −0.75, ends
/// aligned with ends. PyTorch's `interpolate(mode="bicubic", align_corners=True)` along one axis.
private struct CubicTaps {
    let indices: [Int]
    let weights: [Float]

    init(_ index: Int, of newCount: Int, from count: Int) {
        let position = Float(index) * (Float(count - 1) / Float(newCount - 1))
        let base = Int(position)
        let t = position - Float(base)
        let a: Float = -0.75
        func near(_ x: Float) -> Float { ((a + 2) * x - (a + 3)) * x * x + 1 }
        func far(_ x: Float) -> Float { ((a * x - 5 * a) * x + 8 * a) * x - 4 * a }
        weights = [far(t + 1), near(t), near(1 - t), far(2 - t)]
        indices = (base - 1...base + 2).map { min(max($0, 0), count - 1) }
    }
}
