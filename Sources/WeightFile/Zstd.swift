import CZstd

/// Compresses chunks. One thread at a time.
final class ZstdCompressor: @unchecked Sendable {
    static var levels: ClosedRange<Int> { 1...19 }

    private let context: OpaquePointer

    /// nil if there is not enough memory.
    init?(level: Int) {
        guard let context = ZSTD_createCCtx() else { return nil }
        self.context = context
        ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, Int32(level))
    }

    deinit { ZSTD_freeCCtx(context) }

    /// One frame that states its content's size, or nil if there is not enough memory.
    func compress(_ bytes: UnsafeRawBufferPointer) -> [UInt8]? {
        var result = 0
        let frame = [UInt8](unsafeUninitializedCapacity: ZSTD_compressBound(bytes.count)) { buffer, count in
            result = ZSTD_compress2(context, buffer.baseAddress, buffer.count, bytes.baseAddress, bytes.count)
            count = ZSTD_isError(result) == 0 ? result : 0
        }
        return ZSTD_isError(result) == 0 ? frame : nil
    }
}

/// Decompresses chunks. One thread at a time.
final class ZstdDecompressor: @unchecked Sendable {
    private let context: OpaquePointer

    /// nil if there is not enough memory.
    init?() {
        guard let context = ZSTD_createDCtx() else { return nil }
        self.context = context
    }

    deinit { ZSTD_freeDCtx(context) }

    /// Fills `destination` exactly; never writes past it, whatever the frame claims.
    /// - Returns: nil, or why the frame does not fill it.
    func decompress(_ frame: UnsafeRawBufferPointer, into destination: UnsafeMutableRawBufferPointer) -> String? {
        let result = ZSTD_decompressDCtx(
            context, destination.baseAddress, destination.count, frame.baseAddress, frame.count)
        if ZSTD_isError(result) != 0 { return String(cString: ZSTD_getErrorName(result)) }
        return result == destination.count ? nil : "holds \(result) bytes instead of \(destination.count)"
    }
}
