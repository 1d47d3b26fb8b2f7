import ArgumentParser
import AudioLDM2
import Terminal

struct InpaintCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inpaint",
        abstract: "Make parts of a sound anew and keep the rest as it is.",
        discussion: """
            EXAMPLES
              audioldm2 inpaint street.wav "birdsong" -o birds.wav --from 2 --to 4.5
              audioldm2 inpaint talk.wav "quiet room" -o calm.wav --from 1 --to 1.4 --from 7 --to 8
              audioldm2 inpaint hum.wav "rain" -o rain.wav --low 3000

            Samples outside of the parts and of the transitions beside them are the file's own, bit for bit. With --low \
            or --high only that band changes.
            """)

    @Argument(help: "The sound: wav, flac, ogg, mp3 …", completion: .soundsToRead, transform: plainText)
    var file: String

    @Argument(help: "What the new parts should be.", transform: plainText)
    var prompt = ""

    @Option(parsing: .unconditionalSingleValue, help: "Where a part begins, in seconds; once for each part.")
    var from: [Double] = []

    @Option(parsing: .unconditionalSingleValue, help: "Where a part ends, in seconds; once for each part.")
    var to: [Double] = []

    @Option(parsing: .unconditional, help: "The lowest frequency to make anew, in Hz.")
    var low: Double?

    @Option(parsing: .unconditional, help: "The highest frequency to make anew, in Hz.")
    var high: Double?

    @Option(parsing: .unconditional, help: "How far the parts may go from what they were, above 0 and up to 1.")
    var strength = 1.0

    @Option(parsing: .unconditional, help: "Length of the transitions, in seconds.")
    var crossFade = EditPlan().crossFadeSeconds

    @OptionGroup var editing: EditFlags

    func validate() throws {
        try editing.making.validate(prompt: prompt)
        guard from.count == to.count else { throw ValidationError("Give as many --from as --to.") }
        guard !from.isEmpty || low != nil || high != nil else {
            throw ValidationError(
                "Nothing to make anew: name a part with --from and --to, or a band with --low or --high.")
        }
        for (from, to) in zip(from, to) where !(from >= 0 && from < to) {
            throw ValidationError("--from \(from) --to \(to): a part begins before it ends.")
        }
        guard (low ?? 0) >= 0, (low ?? 0) < (high ?? .infinity) else {
            throw ValidationError("--low \(low ?? 0) --high \(high ?? 0): choose a band in Hz.")
        }
        guard strength > 0, strength <= 1 else {
            throw ValidationError("--strength \(strength): choose a number above 0, up to 1.")
        }
        guard (0...10).contains(crossFade) else {
            throw ValidationError("--cross-fade \(crossFade): choose 0 to 10.")
        }
    }

    func run() async throws {
        var plan = EditPlan.inpaint(
            from.isEmpty ? nil : zip(from, to).map { $0...$1 },
            frequencies: low == nil && high == nil ? nil : (low ?? 0)...(high ?? .infinity), strength: strength)
        plan.crossFadeSeconds = crossFade
        try await editing.run(file, prompt: prompt, plan: plan)
    }
}
