import Audio
import Layers
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
    /// Pieces that have been vocoded, and what is kept of them.
    private var done = 0
    var progress = HiFiGAN.Progress()
    /// Frames from `first` on, row by row.
    private var mel: [Float] = []
    private var first = 0

    init(frames: Int, bands: Int) {
        self.frames = frames
        self.bands = bands
    }

    mutating func append(_ rows: [Float]) { mel += rows }

    /// What the next piece that can be vocoded reads, nil if there is none yet or none left. Forgets what no later one needs.
    mutating func next(of vocoder: HiFiGAN, on backend: any Backend) throws -> Stretch? {
        let pieces = vocoder.pieces(frames: frames)
        guard done < pieces.count, pieces[done].upperBound <= first + mel.count / bands else { return nil }
        let read = vocoder.frames(for: pieces[done])
        mel.removeFirst((read.lowerBound - first) * bands)
        first = read.lowerBound
        done += 1
        return Stretch(
            try backend.upload(Array(mel.prefix(read.count * bands)), [1, read.count, bands]), from: first,
            isLast: done == pieces.count)
    }
}
