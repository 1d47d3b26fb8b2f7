import Tensors

/// Overlapping windows over a sample that is longer than what the UNet was trained on, or that has no ends.
///
/// At every step the windows' predictions are averaged where they overlap, so all of them follow one sample:
/// MultiDiffusion (Bar-Tal et al. 2023, arXiv 2302.08113), with weights that fade towards a window's ends. Memory does not
/// grow with the sample but for the sample itself.
package struct LatentWindows: Equatable {
    /// Of the sample.
    package let frames: Int
    /// Frames of each window.
    package let length: Int
    /// First frames at step 0.
    package private(set) var starts: [Int]
    /// The first frame follows the last: windows go around, and move on from step to step, so that no place is always a
    /// border.
    package let isCircular: Bool

    /// - Parameter longest: frames of a window; a quarter of them overlap.
    /// - Returns: nil if the sample has ends and fits into one window.
    package init?(frames: Int, longest: Int, isCircular: Bool) {
        let overlap = longest / 4
        self.frames = frames
        self.isCircular = isCircular
        if isCircular {
            let count = frames + overlap <= longest ? 1 : (frames + longest - overlap - 1) / (longest - overlap)
            length = count == 1 ? frames + min(overlap, frames) : longest
            starts = (0..<count).map { $0 * frames / count }
        } else {
            guard frames > longest else { return nil }
            let count = (frames - overlap + longest - overlap - 1) / (longest - overlap)
            length = longest
            starts = (0..<count).map { $0 * (frames - longest) / (count - 1) }
        }
    }

    /// The weighted mean of what `predict` says about each window.
    /// - Parameters:
    ///   - sample: `[batch, frames, …]`.
    ///   - predict: gives a result for a window and its number, with the same number of rows for each frame.
    package func average(_ sample: Tensor, step: Int, _ predict: (Tensor, Int) throws -> Tensor) throws -> Tensor {
        var mean = WindowMean(of: self, isWhole: true)
        for (number, start) in starts.enumerated() {
            let first = isCircular ? (start + shift(step)) % frames : start
            try mean.add(predict(cut(sample, from: first), number), from: first)
        }
        return try mean.result(on: sample.backend)
    }

    /// The first windows alone, for a run that finds out what memory all of them need.
    package func first(_ count: Int) -> LatentWindows {
        var windows = self
        windows.starts = Array(starts.prefix(count))
        return windows
    }

    /// By the golden ratio, which spreads borders evenly.
    private func shift(_ step: Int) -> Int { Int(0.618034 * Double(step) * Double(frames)) % frames }

    package func cut(_ sample: Tensor, from first: Int) throws -> Tensor {
        let end = first + length
        guard end > frames else { return try sample.slice(axis: 1, first..<end) }
        var pieces = [try sample.slice(axis: 1, first..<frames)]
        var left = end - frames
        while left > 0 {
            pieces.append(try sample.slice(axis: 1, 0..<min(left, frames)))
            left -= frames
        }
        return try Tensor.concatenate(pieces, axis: 1)
    }
}

extension Tensor {
    /// `[1, frames, …]` of something that goes around, with frames of its end before its start and of its start behind its
    /// end.
    package func extendedAround(by margin: Int) throws -> Tensor {
        let frames = shape[1]
        let order = (-margin..<frames + margin).map { (($0 % frames) + frames) % frames }
        let extended = try backend.rows(reshaped([1, frames, shape.count / max(frames, 1)]), order)
        var wider = shape
        wider[1] = order.count
        return try extended.reshaped(wider)
    }
}
