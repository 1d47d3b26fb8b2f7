import CSndfile
import Foundation

/// Sound files through libsndfile.
package enum SoundFile {
    /// Reads a sound file of any kind that libsndfile knows.
    /// - Parameter maximumSamples: of all channels together; bounds the memory that a file can ask for.
    /// - Throws: `AudioError`.
    package static func read(_ path: String, maximumSamples: Int = 100_000_000) throws -> Sound {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw AudioError.cannotRead(path: path, reason: systemReason(errno)) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw AudioError.cannotRead(path: path, reason: "it is not a file")
        }
        guard let file = SndfileHandle(descriptor: descriptor, mode: SFM_READ) else {
            throw AudioError.cannotRead(path: path, reason: SndfileHandle.openError.lowercased())
        }
        let channels = Int(file.info.channels)
        let sampleRate = Int(file.info.samplerate)
        guard channels > 0, sampleRate > 0 else {
            throw AudioError.damaged(path: path, reason: "\(channels) channels at \(sampleRate) Hz")
        }
        let samples = try samples(of: file, maximum: maximumSamples, path: path)
        return Sound(samples: samples, channels: channels, sampleRate: sampleRate)
    }

    /// Reads block by block: the header's number of frames is a promise, not yet a reason to allocate.
    private static func samples(of file: SndfileHandle, maximum: Int, path: String) throws -> [Float] {
        let channels = Int(file.info.channels)
        var samples: [Float] = []
        var block = [Float](repeating: 0, count: SndfileHandle.block * channels)
        while true {
            let count = Int(sf_read_float(file.pointer, &block, sf_count_t(block.count)))
            guard count > 0 else { break }
            guard samples.count <= maximum - count else {
                throw AudioError.tooLong(path: path, maximumSamples: maximum)
            }
            samples += block[..<count]
        }
        if let error = file.error { throw AudioError.damaged(path: path, reason: error.lowercased()) }
        let frames = samples.count / channels
        guard frames == Int(file.info.frames) else {
            throw AudioError.damaged(path: path, reason: "it ends after \(frames) of \(file.info.frames) frames")
        }
        return samples
    }
}
