import Audio
import Evaluation

/// Where a clip's samples come from.
enum ClipSource: Hashable {
    case file(String)
    case lowPassed(String, cutoff: Double)
    case spoiled(String)
    case beeps(Int)
    case headphones(quietest: Int, opposed: Int)

    /// Tones that must stay as they are to each other.
    var keepsLevel: Bool { if case .headphones = self { true } else { false } }

    /// - Throws: an error that names the file.
    func sound(seed: UInt32) throws -> Sound {
        switch self {
        case .file(let path): return try Self.read(path)
        case .lowPassed(let path, let cutoff):
            return CheckClips.lowPassed(try Self.read(path), cutoff: cutoff)
        case .spoiled(let path): return CheckClips.spoiled(try Self.read(path), seed: seed)
        case .beeps(let count): return CheckClips.beeps(count)
        case .headphones(let quietest, let opposed):
            return CheckClips.headphones(quietest: quietest, opposed: opposed)
        }
    }

    private static func read(_ path: String) throws -> Sound {
        let sound = try SoundFile.read(path)
        guard !sound.samples.isEmpty else { throw ListeningTestError.file(path: path, reason: "it holds no samples") }
        guard sound.samples.allSatisfy(\.isFinite) else {
            throw ListeningTestError.file(path: path, reason: "a sample is infinite or not a number")
        }
        return sound
    }
}

/// All clips of a test, under names that say nothing.
struct ClipPlan {
    private(set) var clips: [String: Clip] = [:]
    private(set) var sources: [String: ClipSource] = [:]
    private var random: NumPyRandom

    private static let letters = Array("abcdefghjkmnpqrstuvwxyz23456789")
    private static let nameLength = 10

    init(seed: UInt32) { random = NumPyRandom(seed: seed) }

    /// - Returns: the clip's name.
    mutating func add(_ source: ClipSource, _ clip: Clip) -> String {
        var name = ""
        repeat {
            name = String(
                (0..<Self.nameLength).map { _ in
                    Self.letters[Int(random.uniform() * Double(Self.letters.count))]
                })
        } while clips[name] != nil
        (clips[name], sources[name]) = (clip, source)
        return name
    }
}
