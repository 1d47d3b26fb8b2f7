import AudioLDM2Converter
import Checkpoints
import TestSupport
import Testing

@Suite struct LicenseTextTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try folder.write("{\"_class_name\": \"P\"}", to: "model_index.json")
    }

    private func find() throws -> LicenseText? { try LicenseText.find(in: DiffusersFolder(path: folder.path)) }

    @Test func filesComeBeforeCards() throws {
        #expect(try find() == nil)
        try folder.write("---\nlicense: cc-by-nc-sa-4.0\ntags:\n- audio\n---\n# Card\n", to: "README.md")
        #expect(try find()?.name == "cc-by-nc-sa-4.0")
        #expect(try find()?.text == nil)
        try folder.write("All rights reversed.\n", to: "LICENSE")
        #expect(try find()?.name == "LICENSE")
        #expect(try find()?.text == "All rights reversed.\n")
    }

    @Test(arguments: [
        ("license: mit\n", nil), ("---\nlicense: mit\n", nil), ("---\ntags: x\n---\nlicense: mit\n", nil),
        ("---\r\nlicense: \"mit\"\r\n---\r\n", "mit"),
        ("---\nlicense: other\nlicense_name: clap-license\n---\n", "clap-license"),
        ("---\nlicense:\n---\n", nil),
    ])
    func cards(card: String, name: String?) throws {
        try folder.write(card, to: "README.md")
        #expect(try find()?.name == name)
    }

    @Test func refusesWhatIsNoText() throws {
        let path = try folder.write([0xFF, 0xFE, 0x00], to: "licence.bin")
        #expect(throws: CheckpointError.malformed(file: path, reason: "is not UTF-8 text")) {
            _ = try LicenseText(path: path)
        }
        #expect(throws: CheckpointError.self) { _ = try LicenseText(path: folder.path + "/absent") }
    }
}
