/// Arguments that begin with a dash and are texts all the same: "- heavy rain", "-5 degrees".
///
/// ArgumentParser takes whatever begins with a dash for options, "- heavy rain" for one letter after the other, `-h` among
/// them. So what can be no option gets a mark on its way in, which `plainText` takes away again.
enum DashedText {
    /// A word joiner (U+2060): invisible, should a message show it.
    static let mark = "\u{2060}"
    /// Options of one letter that some command has.
    private static let letters = Set("hmoqrv")

    /// - Parameters:
    ///   - arguments: without the program's name.
    ///   - flags: options that take nothing, such as "-q" and "--loop"; finding them out takes time, and few lines need it.
    static func marked(_ arguments: [String], flags: @autoclosure () -> Set<String>) -> [String] {
        let end = arguments.firstIndex(of: "--") ?? arguments.endIndex
        return arguments.indices.map { index in
            let argument = arguments[index]
            guard index < end, argument.hasPrefix("-"), argument != "-" else { return argument }
            let name = argument.prefix { $0 != "=" }
            if name.contains(where: \.isWhitespace) { return mark + argument }
            if isOption(argument) { return argument }
            // Options take what follows them, and say themselves what is wrong with it.
            let before = index > 0 ? arguments[index - 1] : ""
            return isOption(before) && !flags().contains(before) ? argument : mark + argument
        }
    }

    /// Whether a word has the form of an option, or of several of one letter.
    private static func isOption(_ word: String) -> Bool {
        let name = word.prefix { $0 != "=" }
        guard name.hasPrefix("-"), !name.contains(where: \.isWhitespace) else { return false }
        if name.hasPrefix("--") { return name.dropFirst(2).first?.isLetter == true }
        return name.count > 1 && name.dropFirst().allSatisfy(letters.contains)
    }
}

/// The transform of arguments that are texts or names of files: what was written, whether it begins with a dash or not.
package func plainText(_ argument: String) -> String {
    argument.hasPrefix(DashedText.mark + "-") ? String(argument.dropFirst()) : argument
}
