#if Server
    /// Names of machines.
    enum HostName {
        /// "localhost" of "localhost:8080", "::1" of "[::1]:8080", in small letters.
        /// - Returns: nil for what is no name with or without a port.
        static func name(of authority: String) -> String? {
            var (name, rest) = (authority.prefix { $0 != ":" }, authority.drop { $0 != ":" })
            if authority.hasPrefix("[") {
                guard let end = authority.firstIndex(of: "]") else { return nil }
                name = authority[authority.index(after: authority.startIndex)..<end]
                rest = authority[authority.index(after: end)...]
                guard name.contains(where: { $0 == ":" }) else { return nil }
            }
            guard rest.isEmpty || (rest.first == ":" && rest.dropFirst().allSatisfy(isDigit)) else { return nil }
            // The dot of a whole name.
            if name.hasSuffix(".") { name = name.dropLast() }
            return name.isEmpty || name.contains(where: { $0 == "@" }) ? nil : name.lowercased()
        }

        /// Whether a name means the machine itself.
        static func isLoopback(_ name: String) -> Bool {
            if name == "localhost" || name == "::1" { return true }
            let parts = name.split(separator: ".", omittingEmptySubsequences: false)
            return parts.count == 4 && parts[0] == "127"
                && parts.allSatisfy { (1...3).contains($0.count) && $0.allSatisfy(isDigit) }
        }

        private static func isDigit(_ character: Character) -> Bool { ("0"..."9").contains(character) }
    }
#endif
