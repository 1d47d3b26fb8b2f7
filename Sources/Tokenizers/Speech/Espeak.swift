import Glibc
import Synchronization
import Text

/// espeak-ng's American English, by its C library, loaded when it is first asked for.
///
/// The library is all global variables: one call at a time.
package struct Espeak: WordPhonemizer {
    private typealias Initialize = @convention(c) (Int32, Int32, UnsafePointer<CChar>?, Int32) -> Int32
    private typealias SetVoice = @convention(c) (UnsafePointer<CChar>) -> Int32
    private typealias TextToPhonemes =
        @convention(c) (UnsafeMutablePointer<UnsafeRawPointer?>, Int32, Int32) -> UnsafePointer<CChar>?

    private static let libraryName = "libespeak-ng.so.1"
    private static let shared = Mutex<Espeak?>(nil)
    private let textToPhonemes: TextToPhonemes

    /// - Throws: `SpeechError.espeakMissing`.
    package static func phonemizer() throws(SpeechError) -> Espeak {
        try shared.withLock { (shared) throws(SpeechError) in
            if let espeak = shared { return espeak }
            let espeak = try Espeak()
            shared = espeak
            return espeak
        }
    }

    private init() throws(SpeechError) {
        guard let library = dlopen(Self.libraryName, RTLD_NOW | RTLD_LOCAL),
            let initialize = dlsym(library, "espeak_Initialize"),
            let setVoice = dlsym(library, "espeak_SetVoiceByName"),
            let textToPhonemes = dlsym(library, "espeak_TextToPhonemes")
        else { throw .espeakMissing(reason: "\(Self.libraryName) cannot be loaded") }
        // No sound is made: "synchronous" keeps it from opening a device, "don't exit" from ending the process.
        let (synchronous, doNotExit): (Int32, Int32) = (2, 0x8000)
        guard unsafeBitCast(initialize, to: Initialize.self)(synchronous, 0, nil, doNotExit) > 0 else {
            throw .espeakMissing(reason: "its data (espeak-ng-data) cannot be read")
        }
        let select = unsafeBitCast(setVoice, to: SetVoice.self)
        guard select("gmw/en-US") == 0 || select("en-us") == 0 else {
            throw .espeakMissing(reason: "it has no American English")
        }
        self.textToPhonemes = unsafeBitCast(textToPhonemes, to: TextToPhonemes.self)
    }

    package func phonemes(of text: String) throws -> String {
        let spoken = Self.shared.withLock { _ in pieces(of: text).joined(separator: " ") }
        // Some words are followed by more separators than phonemes.
        let line = spoken.trimmed.replacing("\n", with: " ").replacing("  ", with: " ")
        return line.replacing("_", with: "")
    }

    /// The phonemes of each clause that espeak finds, separated by `_`.
    private func pieces(of text: String) -> [String] {
        let (utf8, ipa, separator) = (Int32(1), Int32(2), Int32(UInt8(ascii: "_")) << 8)
        return text.withCString { start in
            var position = UnsafeRawPointer?(start)
            var pieces: [String] = []
            while position != nil {
                guard let phonemes = textToPhonemes(&position, utf8, ipa | separator) else { break }
                let piece = String(cString: phonemes)
                if !piece.isEmpty { pieces.append(piece) }
            }
            return pieces
        }
    }
}

/// Why text cannot be turned into phonemes.
package enum SpeechError: Error, CustomStringConvertible, Sendable, Equatable {
    case espeakMissing(reason: String)

    package var description: String {
        switch self {
        case .espeakMissing(let reason):
            "text is turned into phonemes by espeak-ng, but \(reason); install the Debian package libespeak-ng1, or give "
                + "phonemes (--phonemes)"
        }
    }
}
