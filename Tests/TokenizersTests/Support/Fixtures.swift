import Foundation
import Tokenizers

/// `Tests/Fixtures/Tokenizers`, made by `Tests/Fixtures/Scripts/make_tokenizer_fixtures.py`.
enum Fixtures {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../Fixtures/Tokenizers").standardizedFileURL

    /// Folders with vocabularies of the published size, which are not part of the repository.
    static let largeFolder = ProcessInfo.processInfo.environment["AUDIOLDM2_TOKENIZERS"].map(URL.init(fileURLWithPath:))

    static func bytes(_ path: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: folder.appendingPathComponent(path)))
    }

    /// The rows of a JSON file that holds an array.
    static func rows<Row: Decodable>(_ path: String) throws -> [Row] {
        try JSONDecoder().decode([Row].self, from: Data(try bytes(path)))
    }

    /// The columns of a file with a row per line.
    static func columns(_ path: String) throws -> [[String]] {
        try bytes(path).split(separator: UInt8(ascii: "\n")).map { line in
            line.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false).map {
                String(decoding: $0, as: UTF8.self)
            }
        }
    }

    /// A tokenizer of the fixtures.
    static func tokenizer(_ name: String) throws -> any Tokenizer {
        try makeTokenizer(try definition(name))
    }

    static func definition(_ name: String) throws -> TokenizerDefinition {
        try TokenizerReader.read(folder: folder.appendingPathComponent(name), kind: kind(name))
    }

    static func kind(_ name: String) -> TokenizerKind { name.hasPrefix("t5") ? .t5 : .roberta }
}

/// A folder that is removed with the value.
final class TemporaryFolder {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("tokenizers-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    /// With copies of files of the fixtures.
    convenience init(copying files: [String], from name: String) throws {
        try self.init()
        for file in files { try write(try Fixtures.bytes("\(name)/\(file)"), to: file) }
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func write(_ bytes: some Collection<UInt8>, to name: String) throws {
        try Data(bytes).write(to: url.appendingPathComponent(name))
    }

    func write(_ text: String, to name: String) throws { try write(Array(text.utf8), to: name) }
}

/// The fixtures' hash: FNV-1a, 32 bits, eight hexadecimal digits.
struct Hash: CustomStringConvertible {
    private var value: UInt32 = 0x811C_9DC5

    init(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { value = (value ^ UInt32(byte)) &* 0x0100_0193 }
    }

    /// Ids as 32-bit little-endian numbers.
    init(ids: [Int]) {
        self.init(ids.lazy.flatMap { id in (0..<4).lazy.map { UInt8(truncatingIfNeeded: id >> (8 * $0)) } })
    }

    var description: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }
}
