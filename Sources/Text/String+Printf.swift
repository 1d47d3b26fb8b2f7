import Glibc

extension String {
    /// Numbers as C's `printf` writes them, with a decimal point whatever locale a host program has chosen. Foundation has the
    /// same, and with it 40 MB of Unicode's data.
    /// - Parameter format: for numbers alone: `%@` and `%s` have no meaning here.
    package init(printf format: String, _ arguments: any CVarArg...) { self = printed(format, arguments) }
}

private func printed(_ format: String, _ arguments: [any CVarArg]) -> String {
    let host = uselocale(numbersOfC)
    defer { uselocale(host) }
    var buffer = [CChar](repeating: 0, count: 512)
    let count = withVaList(arguments) { vsnprintf(&buffer, buffer.count, format, $0) }
    let bytes = buffer.prefix(min(max(Int(count), 0), buffer.count - 1)).map { UInt8(bitPattern: $0) }
    return String(decoding: bytes, as: UTF8.self)
}

/// C's own locale, for numbers; never freed.
nonisolated(unsafe) private let numbersOfC = newlocale(1 << LC_NUMERIC, "C", nil)
