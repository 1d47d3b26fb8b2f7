/// A value of a YAML text.
package enum YAMLValue: Sendable, Equatable {
    case null
    /// Text as it is written, without its quotes.
    case scalar(String)
    case sequence([YAMLValue])
    case mapping([Member])

    package struct Member: Sendable, Equatable {
        let key: String
        let value: YAMLValue

        package init(key: String, value: YAMLValue) { (self.key, self.value) = (key, value) }
    }

    /// The value under a path of keys with dots between.
    package subscript(path: String) -> YAMLValue? {
        path.split(separator: ".").reduce(Optional(self)) { value, key in
            guard case .mapping(let members)? = value else { return nil }
            return members.last { $0.key == key }?.value
        }
    }

    /// The first value of a key at any depth, within a number of steps that no honest file needs.
    package func first(_ key: String) -> YAMLValue? {
        var steps = 100_000
        return first(key, &steps)
    }

    private func first(_ key: String, _ steps: inout Int) -> YAMLValue? {
        steps -= 1
        guard steps > 0 else { return nil }
        switch self {
        case .null, .scalar: return nil
        case .sequence(let values):
            for value in values {
                if let found = value.first(key, &steps) { return found }
            }
        case .mapping(let members):
            for member in members {
                if member.key == key { return member.value }
                if let found = member.value.first(key, &steps) { return found }
            }
        }
        return nil
    }
}
