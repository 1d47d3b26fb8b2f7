import Audio
import Tensors

/// A spectrogram that comes in parts, on its way to a waveform.
enum VocodingQueue {
    case hifigan(HiFiGANQueue)
    case griffinLim(GriffinLimStream)

    mutating func append(_ rows: [Float]) {
        switch self {
        case .hifigan(var queue):
            queue.append(rows)
            self = .hifigan(queue)
        case .griffinLim(var stream):
            stream.append(rows)
            self = .griffinLim(stream)
        }
    }
}

/// The frames that a HiFi-GAN has not vocoded.
struct HiFiGANQueue {
    /// Frames of the whole spectrogram.
    let frames: Int
    let bands: Int
    /// Pieces that have been vocoded.
    private var done = 0
    /// Frames from `first` on, row by row.
    private var mel: [Float] = []
    private var first = 0

    init(frames: Int, bands: Int) {
        self.frames = frames
        self.bands = bands
    }

    mutating func append(_ rows: [Float]) { mel += rows }

    /// The next piece that can be vocoded, nil if there is none yet or none left. Forgets what no later one needs.
    mutating func next(of vocoder: HiFiGAN) -> (HiFiGAN.Piece, isLast: Bool)? {
        let pieces = vocoder.pieces(frames: frames)
        guard done < pieces.count, pieces[done].context.upperBound <= first + mel.count / bands else { return nil }
        let piece = pieces[done]
        mel.removeFirst((piece.context.lowerBound - first) * bands)
        first = piece.context.lowerBound
        done += 1
        return (piece, done == pieces.count)
    }

    func rows(_ range: Range<Int>) -> [Float] {
        Array(mel[(range.lowerBound - first) * bands..<(range.upperBound - first) * bands])
    }
}
