/// Something that a user does, and what comes of it.
struct Scenario {
    let name: String
    let product: String
    /// Run in a folder of its own, where `out` is for what it writes.
    let arguments: [String]
    /// Files that it makes, each of which must be the old one or the new one at any moment; "stdout" for what it prints,
    /// which must be whole if it says that it worked.
    let outputs: [String]
    /// Files of which the end may be missing when a process was killed, whole lines apart.
    var journals: Set<String> = []
    /// Whether it is among those that take a minute together.
    var isQuick = false
    /// Where it writes and whether there is something: see there.
    var variants: [Variant] = [.fresh]
    /// Whether it says of several things at a time why they failed.
    var hasSeveralErrors = false
    /// Whether its numbers are OpenBLAS's where that can be loaded, and else our own, with other last digits.
    var usesOpenBLAS = false

    enum Variant: String {
        /// Nothing is in the place of its outputs.
        case fresh
        /// Other files are there, which it replaces.
        case replacing
        /// The same on a file system that has no files without names.
        case named
    }
}

extension Scenario {
    /// All that are run under faults, but for the server.
    static func all(_ material: Material) -> [Scenario] {
        let model = ["-m", material.model]
        let short = ["--seconds", "0.3", "--steps", "1", "--seed", "1", "--threads", "2", "-q"]
        func generate(_ kind: String, quick: Bool = false, _ variants: [Variant] = [.replacing]) -> Scenario {
            Scenario(
                name: "generate-\(kind)", product: "audioldm2",
                arguments: ["generate", "a"] + model + short + ["-o", "out/a.\(kind)"], outputs: ["out/a.\(kind)"],
                isQuick: quick, variants: variants)
        }
        func edit(_ name: String, _ more: [String]) -> Scenario {
            Scenario(
                name: name, product: "audioldm2",
                arguments: [name, material.sound] + more + model
                    + ["-o", "out/a.wav", "--seed", "1", "--threads", "2", "-q"],
                outputs: ["out/a.wav"], variants: [.replacing])
        }
        func convert(_ name: String, quick: Bool = false, _ more: [String], _ variants: [Variant]) -> Scenario {
            Scenario(
                name: name, product: "audioldm2-convert",
                arguments: [material.checkpoint, "-o", "out/a.aldm", "-q", "--threads", "2"] + more,
                outputs: ["out/a.aldm"], isQuick: quick, variants: variants)
        }
        func printing(_ name: String, _ arguments: [String]) -> Scenario {
            Scenario(name: name, product: "audioldm2", arguments: arguments, outputs: ["stdout"])
        }
        return [
            convert("convert", quick: true, ["--no-calibrate"], [.fresh, .replacing, .named]),
            convert("convert-raw", ["--no-calibrate", "--compression", "none"], [.replacing]),
            convert("convert-calibrated", [], [.replacing]),
            generate("wav", quick: true, [.fresh, .replacing, .named]), generate("flac"), generate("ogg"),
            generate("opus"), generate("mp3"), generate("aiff"),
            Scenario(
                name: "generate-two", product: "audioldm2",
                arguments: ["generate", "a"] + model + short + ["-o", "out/a.wav", "--spectrogram", "out/a.png"],
                outputs: ["out/a.wav", "out/a.png"], variants: [.replacing]),
            printing("stream-wav", ["generate", "a"] + model + short + ["-o", "-"]),
            printing("stream-flac", ["generate", "a"] + model + short + ["-o", "-", "--format", "flac"]),
            Scenario(
                name: "batch", product: "audioldm2",
                arguments: ["batch", material.batch] + model + ["-o", "out", "--threads", "2", "-q"],
                outputs: ["out/1.wav", "out/2.wav", "out/3.wav", "out/manifest.jsonl"],
                journals: ["out/manifest.jsonl"], isQuick: true, hasSeveralErrors: true),
            Scenario(
                name: "encode", product: "audioldm2",
                arguments: ["encode", "a"] + model + ["-o", "out/a.cond", "--threads", "2", "-q"],
                outputs: ["out/a.cond"], variants: [.replacing]),
            edit("transform", ["a", "--steps", "2"]),
            edit("inpaint", ["a", "--from", "0.2", "--to", "0.4", "--steps", "1"]),
            edit("extend", ["a", "--seconds", "0.9", "--steps", "1"]),
            edit("upsample", ["--above", "3000", "--steps", "1"]),
            Scenario(
                name: "spectrogram", product: "audioldm2",
                arguments: ["spectrogram", material.sound, "-o", "out/a.png"], outputs: ["out/a.png"],
                variants: [.replacing]),
            printing("inspect", ["inspect", material.model, "--check"]),
            Scenario(
                name: "evaluate", product: "audioldm2",
                arguments: [
                    "evaluate", material.folder + "/one", "--reference", material.folder + "/two",
                    "--save-statistics", "out/a.stats", "--plot", "out/a.png", "--json",
                ],
                outputs: ["out/a.stats", "out/a.png", "stdout"], usesOpenBLAS: true),
        ]
    }
}
