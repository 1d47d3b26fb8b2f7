import Text

/// A value in a JSON file that knows where it stands, for messages.
struct JSONField {
    let file: String
    /// As in `model.vocab[3]`; empty for the document.
    let path: String
    let value: JSONValue

    init(file: String, path: String = "", value: JSONValue) {
        self.file = file
        self.path = path
        self.value = value
    }

    func invalid(_ reason: String) -> TokenizerError {
        .invalidField(file: file, field: path.isEmpty ? "document" : path, reason: reason)
    }

    // MARK: Typed contents

    func members() throws(TokenizerError) -> [(key: String, value: JSONField)] {
        guard case .object(let members) = value else { throw invalid("expected an object") }
        return members.map { ($0.key, child(".\($0.key)", $0.value)) }
    }

    func elements() throws(TokenizerError) -> [JSONField] {
        guard case .array(let elements) = value else { throw invalid("expected an array") }
        return elements.enumerated().map { child("[\($0.offset)]", $0.element) }
    }

    func string() throws(TokenizerError) -> String {
        guard case .string(let string) = value else { throw invalid("expected a string") }
        return string
    }

    func integer(in range: Range<Int>) throws(TokenizerError) -> Int {
        guard case .integer(let integer) = value else { throw invalid("expected an integer") }
        guard range.contains(integer) else {
            throw invalid("\(integer) is not in \(range.lowerBound)...\(range.upperBound - 1)")
        }
        return integer
    }

    func number() throws(TokenizerError) -> Double {
        switch value {
        case .integer(let integer): return Double(integer)
        case .number(let number): return number
        default: throw invalid("expected a number")
        }
    }

    func bool() throws(TokenizerError) -> Bool {
        guard case .bool(let bool) = value else { throw invalid("expected true or false") }
        return bool
    }

    // MARK: Members

    /// A member of an object, the last of that name; nil if it is missing or null, or if this is no object.
    subscript(key: String) -> JSONField? {
        guard let member = member(key), case let field = child(".\(key)", member.value) else { return nil }
        if case .null = field.value { return nil }
        return field
    }

    func required(_ key: String) throws(TokenizerError) -> JSONField {
        guard let field = self[key] else { throw child(".\(key)", .null).invalid("it is missing") }
        return field
    }

    /// Whether a member is there with the value null.
    func hasNull(_ key: String) -> Bool {
        if case .null = member(key)?.value { true } else { false }
    }

    private func member(_ key: String) -> JSONValue.Member? {
        guard case .object(let members) = value else { return nil }
        return members.last { $0.key.utf8.elementsEqual(key.utf8) }
    }

    private func child(_ step: String, _ value: JSONValue) -> JSONField {
        JSONField(
            file: file, path: path.isEmpty && step.first == "." ? String(step.dropFirst()) : path + step, value: value)
    }
}
