import Audio
import AudioLDM2
import FoundationEssentials

/// Sounds in, through libsndfile.
extension FuzzTarget {
    static let sounds = [
        FuzzTarget("sound", "a sound file of any kind", longest: 8192, dictionary: "sound") { input in
            try input.attempt {
                let sound = try SoundFile.read(Data(input.bytes), maximumSamples: mostSamples)
                // A block of every channel, and the samples as they grow.
                input.declare(4 * 4096 * sound.channels + 8 * sound.samples.count)
                mustHold(sound.samples.count % sound.channels == 0, "a part of a frame")
            }
            let samples = try SoundFile.readMono(
                input.file(), sampleRate: 16000, maximumSeconds: 0.5, excess: .cut)
            mustHold(!samples.isEmpty && samples.count <= 8000, "another length than was asked for")
        }
    ]

    private static let mostSamples = 1 << 20
}
