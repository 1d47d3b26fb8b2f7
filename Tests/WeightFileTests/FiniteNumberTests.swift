import Foundation
import Tensors
import TestSupport
import Testing
import WeightFile

/// Numbers that no computation survives, in packs whose checksums are right.
@Suite struct FiniteNumberTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    struct Case: Sendable, CustomTestStringConvertible {
        let format: WeightFormat
        let role: WeightRole
        /// Of the bad number.
        let place: Int
        let bytes: [UInt8]
        let name: String

        var testDescription: String { "\(format), \(role.summary), \(name)" }
    }

    private static let cases: [Case] = {
        let infinities: [Float] = [.infinity, -.infinity, .nan]
        func single(_ value: Float) -> [UInt8] { withUnsafeBytes(of: value.bitPattern.littleEndian, Array.init) }
        let halves: [[UInt8]] = [[0x00, 0x7C], [0x00, 0xFC], [0x01, 0x7E]]
        let vector = WeightRole.vector(count: 33)
        let matrix = WeightRole.matrix(outputs: 700, inputs: 1000)
        let table = WeightRole.table(rows: 19, width: 5)
        let layouts = [matrix, table].map { ($0, Int8Layout(role: $0)) }
        return infinities.map { Case(format: .float32, role: vector, place: 32, bytes: single($0), name: "number 32") }
            + infinities.map {
                // In the third chunk.
                Case(format: .float32, role: matrix, place: 650_001, bytes: single($0), name: "number 650001")
            }
            + halves.map { Case(format: .float16, role: matrix, place: 699_999, bytes: $0, name: "number 699999") }
            + layouts.flatMap { role, layout in
                infinities.map {
                    Case(
                        format: .int8, role: role, place: layout.scalesOffset / 4 + 17, bytes: single($0),
                        name: "scale 17")
                }
            }
    }()

    private func pack(_ cases: Case, _ compression: PackCompression) throws -> Pack {
        let description = WeightDescription(role: cases.role, format: cases.format)
        var bytes = SampleWeight("bad", description).bytes
        bytes.replaceSubrange(
            cases.place * cases.bytes.count..<(cases.place + 1) * cases.bytes.count, with: cases.bytes)
        try writePack(folder.file(), [SampleWeight("bad", description, bytes: bytes)], compression)
        return try Pack(opening: folder.file())
    }

    @Test(arguments: cases, [PackCompression.none, .zstd(level: 1)])
    func areFoundWhenTheyAreRead(_ bad: Case, _ compression: PackCompression) throws {
        let pack = try pack(bad, compression)
        let expected = PackError.malformed(
            path: folder.file(), field: "unet.bad", reason: "\(bad.name) is infinite or not a number")
        #expect(throws: expected) { try pack.check(threads: 2) }
        #expect(throws: expected) { try PackSource(pack, component: "unet", backend: HostBackend(), threads: 2) }
    }

    /// The largest finite numbers, and integers that look like infinities.
    @Test func othersAreTaken() throws {
        let large = WeightDescription(role: .vector(count: 4), format: .float32)
        let half = WeightDescription(role: .matrix(outputs: 1, inputs: 4), format: .float16)
        let int8 = WeightDescription(role: .matrix(outputs: 16, inputs: 4), format: .int8)
        let layout = Int8Layout(role: int8.role)
        var bytes = [UInt8](repeating: 0xFF, count: layout.byteCount)
        bytes.replaceSubrange(layout.scalesOffset..<layout.sumsOffset, with: repeatElement(0x3F, count: 64))
        let samples = [
            SampleWeight(
                "a", large,
                bytes: [Float.greatestFiniteMagnitude, -.greatestFiniteMagnitude, 0, .leastNonzeroMagnitude].flatMap {
                    withUnsafeBytes(of: $0.bitPattern.littleEndian, Array.init)
                }),
            SampleWeight("b", half, bytes: [0xFF, 0x7B, 0xFF, 0xFB, 0, 0, 1, 0]), SampleWeight("c", int8, bytes: bytes),
        ]
        try writePack(folder.file(), samples, .none)
        try Pack(opening: folder.file()).check(threads: 1)
    }
}
