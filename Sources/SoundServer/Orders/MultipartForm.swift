import Text

/// A form with files, as browsers and `curl -F` send it: multipart/form-data (RFC 7578), whole in memory.
package struct MultipartForm: Sendable {
    /// The contents of each part, by its name; of several of a name the last.
    package let parts: [String: [UInt8]]

    /// Parts that a form may have.
    private static let mostParts = 16
    /// Bytes that the lines before a part's contents may take.
    private static let mostHeaderBytes = 4096

    /// - Parameter contentType: the request's, with the boundary.
    /// - Throws: `OrderError` for what is no such form.
    package init(_ body: [UInt8], contentType: String) throws {
        guard let boundary = Self.parameter("boundary", of: contentType), (1...70).contains(boundary.utf8.count) else {
            throw OrderError(400, "the form's Content-Type names no boundary")
        }
        let delimiter = Array("--\(boundary)".utf8)
        var parts: [String: [UInt8]] = [:]
        guard var position = body[...].firstIndex(of: delimiter).map({ $0 + delimiter.count }) else {
            throw OrderError(400, "the form does not begin with its boundary")
        }
        let line = Array("\r\n".utf8)
        let between = line + delimiter
        while true {
            let rest = body[position...]
            if rest.starts(with: "--".utf8) { break }
            guard rest.starts(with: line), parts.count < Self.mostParts else {
                throw OrderError(400, "the form is damaged, or has more than \(Self.mostParts) parts")
            }
            let start = position + line.count
            let end = Array("\r\n\r\n".utf8)
            guard let headerEnd = body[start..<min(start + Self.mostHeaderBytes, body.count)].firstIndex(of: end),
                let next = body[(headerEnd + end.count)...].firstIndex(of: between),
                let name = Self.name(in: String(decoding: body[start..<headerEnd], as: UTF8.self))
            else { throw OrderError(400, "the form is damaged: a part has no name or no end") }
            parts[name] = Array(body[headerEnd + end.count..<next])
            position = next + between.count
        }
        self.parts = parts
    }

    /// The name of a part by its header.
    private static func name(in header: String) -> String? {
        for line in header.split(whereSeparator: \.isNewline)
        where line.lowercased().hasPrefix("content-disposition:") {
            return parameter("name", of: String(line))
        }
        return nil
    }

    /// The value of `key` in "something; key=value; other="quoted value"".
    private static func parameter(_ key: String, of header: String) -> String? {
        for part in header.split(separator: ";").dropFirst() {
            let pair = part.split(separator: "=", maxSplits: 1).map { $0.trimmed(where: { $0 == " " }) }
            guard pair.count == 2, pair[0].lowercased() == key else { continue }
            let value = pair[1]
            return value.count >= 2 && value.hasPrefix("\"") && value.hasSuffix("\"")
                ? String(value.dropFirst().dropLast()) : String(value)
        }
        return nil
    }
}

extension ArraySlice<UInt8> {
    /// Where `pattern` begins for the first time.
    fileprivate func firstIndex(of pattern: [UInt8]) -> Int? {
        guard let first = pattern.first, count >= pattern.count else { return nil }
        let last = endIndex - pattern.count
        return withUnsafeBytes { bytes -> Int? in
            var index = startIndex
            while index <= last {
                if bytes[index - startIndex] == first,
                    pattern.indices.allSatisfy({ bytes[index - startIndex + $0] == pattern[$0] })
                {
                    return index
                }
                index += 1
            }
            return nil
        }
    }
}
