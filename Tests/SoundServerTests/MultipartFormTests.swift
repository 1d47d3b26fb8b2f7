import Foundation
import SoundServer
import Testing

@Suite struct MultipartFormTests {
    private func form(_ body: String, type: String = "multipart/form-data; boundary=xYz") throws -> [String: [UInt8]] {
        try MultipartForm(Array(body.utf8), contentType: type).parts
    }

    /// As `curl -F 'request={}' -F sound=@file` sends it.
    private let usual =
        "--xYz\r\nContent-Disposition: form-data; name=\"request\"\r\n\r\n{\"prompt\": \"rain\"}\r\n"
        + "--xYz\r\nContent-Disposition: form-data; name=\"sound\"; filename=\"a.wav\"\r\nContent-Type: audio/wav\r\n\r\n"
        + "RI\r\nFF--xY\r\n--xYz--\r\n"

    @Test func partsByName() throws {
        let parts = try form(usual)
        #expect(parts.count == 2 && parts["request"] == Array(#"{"prompt": "rain"}"#.utf8))
        #expect(parts["sound"] == Array("RI\r\nFF--xY".utf8))
        #expect(try form(usual, type: "multipart/form-data; charset=x; Boundary=\"xYz\"").count == 2)
    }

    @Test func nothingInAPart() throws {
        let parts = try form("--xYz\r\ncontent-disposition: form-data; name=sound\r\n\r\n\r\n--xYz--")
        #expect(parts == ["sound": []])
    }

    /// Every beginning of a form is refused, but for the line end behind it.
    @Test func whatIsCutOff() throws {
        let bytes = Array(usual.utf8)
        for count in 0..<bytes.count - 4 {
            #expect(throws: OrderError.self) {
                try MultipartForm(Array(bytes.prefix(count)), contentType: "multipart/form-data; boundary=xYz")
            }
        }
    }

    @Test func whatIsNoForm() {
        for (body, type) in [
            (usual, "multipart/form-data"), (usual, "multipart/form-data; boundary="),
            (usual, "multipart/form-data; boundary=other"), ("", "multipart/form-data; boundary=xYz"),
            (usual, "multipart/form-data; boundary=" + String(repeating: "a", count: 71)),
            ("--xYz\r\n\r\nno name\r\n--xYz--", "multipart/form-data; boundary=xYz"),
            ("--xYzA", "multipart/form-data; boundary=xYz"),
        ] {
            #expect(throws: OrderError.self) { try form(body, type: type) }
        }
        let many = (0..<40).map { "--xYz\r\nContent-Disposition: form-data; name=\"\($0)\"\r\n\r\n\r\n" }.joined()
        #expect(throws: OrderError.self) { try form(many + "--xYz--") }
    }
}
