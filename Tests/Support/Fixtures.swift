import Foundation

/// Files under `Tests/Fixtures`.
package enum Fixtures {
    /// The folder of one topic.
    package static func folder(_ topic: String) -> URL {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Fixtures").appendingPathComponent(topic)
    }

    package static func json<Value: Decodable>(_ topic: String, _ file: String, as type: Value.Type) throws -> Value {
        try JSONDecoder().decode(type, from: Data(contentsOf: folder(topic).appendingPathComponent(file)))
    }
}
