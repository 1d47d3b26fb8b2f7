import AudioLDM2

extension ConversionOptions {
    /// Refuses what says how sounds are made or what makes them, of what makes none: nobody would hear of it again.
    /// - Throws: `AudioLDM2Error` of kind `.invalidOption` that names all of it.
    func requireNothingOfSounds(for name: String) throws {
        let given = [("without", !without.isEmpty), ("profile", profile != nil), ("vocoder", vocoder != nil)]
        let idle = given.filter(\.1).map { "--\($0.0)" }
        guard idle.isEmpty else {
            throw AudioLDM2Error(
                .invalidOption,
                "\(idle.joined(separator: ", ")): \(name) is a network by itself, of which nothing can be left out and which makes "
                    + "no sounds; leave \(idle.count == 1 ? "this" : "these") out")
        }
    }
}
