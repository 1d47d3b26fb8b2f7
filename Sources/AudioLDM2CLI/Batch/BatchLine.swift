import AudioLDM2
import Batches

/// What a line asks for.
struct BatchLine {
    let prompt: String
    /// With a seed.
    let options: SoundOptions
    /// Sounds to make, of which the best is kept.
    let candidates: Int
    /// A file's name.
    let output: String

    /// - Parameters:
    ///   - defaults: what was said for all lines.
    ///   - conditions: finds what lines refer to.
    /// - Throws: `AudioLDM2Error` that says which field is wrong.
    init(
        _ line: BatchFile.Line, defaults: SoundSettings, memoryLimit: Int?, seed: UInt64, format: String,
        conditions: BatchConditions
    ) async throws {
        let fields = try BatchFields(line)
        prompt = fields.prompt ?? ""
        candidates = fields.candidates ?? 1
        var settings = fields.settings.over(defaults)
        settings.negativePrompt = fields.negative ?? settings.negativePrompt
        settings.seed = settings.seed ?? seed
        var options = try settings.options(profile: conditions.profile)
        options.memoryLimit = memoryLimit
        options.condition = try await conditions.condition(
            audioPrompt: fields.audioPrompt, saved: fields.condition, prompt: prompt)
        guard options.condition != nil || prompt.contains(where: { !$0.isWhitespace }) else {
            throw AudioLDM2Error(.invalidOption, "\"prompt\" is missing or empty: say what the sound should be")
        }
        guard (1...64).contains(candidates), candidates == 1 || !prompt.isEmpty else {
            throw AudioLDM2Error(
                .invalidOption, "\"candidates\" is \(candidates): choose 1 to 64, and say by a prompt which is best")
        }
        self.options = options
        output = fields.output ?? Self.name(line.number, prompt: prompt) + "." + format
        guard !output.utf8.contains(UInt8(ascii: "/")),
            AudioClip.fileExtensions.contains(where: { output.lowercased().hasSuffix(".\($0)") })
        else {
            throw AudioLDM2Error(
                .invalidOption,
                "\"output\" is \"\(output)\"; give a name without a folder that ends in ."
                    + AudioClip.fileExtensions.joined(separator: ", ."))
        }
    }

    /// The line's number and the prompt's first words.
    private static func name(_ number: Int, prompt: String) -> String {
        let words = prompt.lowercased().split { !($0.isASCII && ($0.isLetter || $0.isNumber)) }
        var name = String(number)
        name = String(repeating: "0", count: max(0, 5 - name.count)) + name
        for word in words where name.count + word.count < 48 { name += "-" + word }
        return name
    }
}
