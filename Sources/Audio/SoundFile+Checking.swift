import Files

extension SoundFile {
    /// Finds out before any work is done whether a sound could be written to `path`: its extension is known and its
    /// folder takes new files.
    /// - Throws: `AudioError`, as `write` would.
    package static func checkWritable(_ path: String) throws {
        _ = try SoundContainer(path: path)
        try checkPlace(of: path)
    }

    /// Finds out whether a file of this extension can hold such a sound.
    /// - Throws: `AudioError`, as `write` would.
    package static func checkFormat(
        of path: String, frames: Int = 0, channels: Int, sampleRate: Int, encoding: SampleEncoding? = nil
    ) throws {
        _ = try StoredFormat(
            frames: frames, channels: channels, sampleRate: sampleRate, path: path, encoding: encoding)
    }

    /// Finds out whether a file could be made at `path`: the name can be one, its folder takes new files, and no folder or
    /// device is in the way.
    /// - Throws: `AudioError.cannotWrite`.
    package static func checkPlace(of path: String) throws {
        // Only trying tells: some folders say that they can be written to and take no files.
        try namingFailures(of: path) { try AtomicFile.check(path) }
    }
}
