import CSndfile
import Foundation

/// A sound file that is read block by block.
package final class SoundReader {
    package let path: String
    package let channels: Int
    /// Frames per second.
    package let sampleRate: Int
    /// What the header says, a promise and not a reason to allocate; nil for a stream's, which does not know.
    private let frameCount: Int?
    private let descriptor: Int32
    private let file: SndfileHandle
    private var framesRead = 0
    private var block: [Float]

    /// Opens a sound file of any kind that libsndfile knows.
    /// - Throws: `AudioError`.
    package init(_ path: String) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw AudioError.cannotRead(path: path, reason: systemReason(errno, reading: true))
        }
        do {
            file = try Self.handle(of: descriptor, path: path)
        } catch {
            close(descriptor)
            throw error
        }
        self.path = path
        self.descriptor = descriptor
        channels = Int(file.info.channels)
        sampleRate = Int(file.info.samplerate)
        frameCount = file.info.frames == .max ? nil : Int(file.info.frames)
        block = [Float](repeating: 0, count: SndfileHandle.block * channels)
    }

    deinit { close(descriptor) }

    private static func handle(of descriptor: Int32, path: String) throws -> SndfileHandle {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw AudioError.cannotRead(path: path, reason: "it is not a file")
        }
        guard let file = SndfileHandle(descriptor: descriptor, mode: SFM_READ) else {
            let reason = SndfileHandle.openError.lowercased().trimmingCharacters(in: CharacterSet(charactersIn: "."))
            throw AudioError.cannotRead(path: path, reason: reason + "; choose a sound (wav, flac, ogg, mp3 …)")
        }
        guard file.info.channels > 0, file.info.samplerate > 0 else {
            throw AudioError.damaged(
                path: path, reason: "\(file.info.channels) channels at \(file.info.samplerate) Hz")
        }
        return file
    }

    /// The next frames, interleaved; none at the end.
    /// - Throws: `AudioError.damaged` if the file ends before its header says, or cannot be decoded.
    package func next() throws -> ArraySlice<Float> {
        let count = max(0, Int(sf_read_float(file.pointer, &block, sf_count_t(block.count))))
        let frames = count / channels
        framesRead += frames
        // A file that was cut may end within a frame.
        guard frames == 0 else { return block[..<(frames * channels)] }
        if let error = file.error { throw AudioError.damaged(path: path, reason: error.lowercased()) }
        if let frameCount, framesRead != frameCount {
            throw AudioError.damaged(path: path, reason: "it ends after \(framesRead) of \(frameCount) frames")
        }
        return []
    }
}
