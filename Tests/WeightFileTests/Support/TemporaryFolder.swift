import Foundation
import TestSupport

extension TemporaryFolder {
    /// Where the pack of a test goes.
    func file() -> String { file("test.aldm") }

    func file(_ name: String = "test.aldm", holding bytes: [UInt8]) throws -> String { try write(bytes, to: name) }
}

func readBytes(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path))) }
