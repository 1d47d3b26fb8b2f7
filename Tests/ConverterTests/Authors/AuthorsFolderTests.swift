import AudioLDM2
import AudioLDM2Converter
import Checkpoints
import Foundation
import Tensors
import TestSupport
import Testing

/// The authors' files beside what diffusers' own conversion scripts make of them.
@Suite struct AuthorsFolderTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// At full size, every tensor that diffusers' scripts take comes from the same place here.
    @Test(arguments: AuthorsFixture.publishedNames) func keysGoWhereDiffusersPutsThem(name: String) throws {
        let keys = try AuthorsFixture.published(name)
        let checkpoint = try AuthorsCheckpoint(
            PlaceSource(keys), name: name, settings: AuthorsSettings(modelName: name), usesAverage: false)
        for (component, expected) in try FolderFixture(name, "published").components {
            let weights = try checkpoint.weights(of: component)
            #expect(!expected.tensors.isEmpty && weights.tensors.count >= expected.tensors.count, "\(component)")
            for (key, place) in expected.tensors {
                let tensor = try weights.open(key)
                let entry = try #require(keys[place.key])
                #expect(keys[tensor.key]?.shared ?? tensor.key == place.key, "\(component) \(key)")
                let first = place.row * entry.extents.dropFirst().reduce(1, *)
                #expect(try tensor.read(0..<1) == [Float(first)], "\(component) \(key)")
            }
        }
    }

    /// One model's pack from the authors' file and from the folder hold the same weights and make the same sound.
    @Test(arguments: AuthorsFixture.names) func packsEqualThoseOfFolders(name: String) async throws {
        let fixture = try FolderFixture(name)
        var input = CheckpointInput(path: try folder.write(AuthorsFixture(name).encoded(), to: "\(name).pth"))
        input.additions = fixture.tokenizers
        let (file, other) = (folder.file("file.aldm"), folder.file("folder.aldm"))
        let options = ConversionOptions(weights: .float32, compression: .none)
        let summary = try CheckpointConverter(input.open(), options).convert(to: file)
        #expect(summary.missing.isEmpty)
        _ = try CheckpointConverter(DiffusersFolder(path: fixture.write(to: folder)), options).convert(to: other)

        // Of the model that reads FLAN-T5 alone, no folder has the CLAP that ranks.
        let onlyHere = name.contains("t5") ? ["text_encoder.", "clap_audio."] : []
        let mine = try StoredWeights(path: file).weights.filter { weight in
            !onlyHere.contains { weight.key.hasPrefix($0) }
        }
        let theirs = try StoredWeights(path: other).weights
        #expect(Set(mine.keys) == Set(theirs.keys) && mine.count > 300)
        for (weight, stored) in theirs {
            #expect(mine[weight]?.description == stored.description && mine[weight]?.bytes == stored.bytes, "\(weight)")
        }
        #expect(try AudioLDM2Pipeline(opening: file).profile == .authors)
        #expect(try AudioLDM2Pipeline(opening: other).profile == nil)
        for profile in ReferenceProfile.allCases {
            let (made, expected) = (
                try await samples(file, fixture, profile), try await samples(other, fixture, profile)
            )
            #expect(made.contains { abs($0) > 1e-3 } && relativeError(made, expected) <= 1e-6)
        }
    }

    /// The model that reads FLAN-T5 alone has the same CLAP in its file as the others.
    @Test func theCLAPThatRanksIsKept() async throws {
        func convert(_ name: String, without: Set<String> = []) throws -> String {
            var input = CheckpointInput(path: try folder.write(AuthorsFixture(name).encoded(), to: "\(name).pth"))
            input.additions = try FolderFixture(name).tokenizers
            let path = folder.file("\(name)\(without.count).aldm")
            let options = ConversionOptions(weights: .float32, compression: .none, without: without)
            _ = try CheckpointConverter(input.open(), options).convert(to: path)
            return path
        }
        let name = "audioldm_16k_crossattn_t5"
        let (alone, whole) = (try convert(name), try convert("audioldm2-full"))
        func clap(_ model: String) throws -> [String: [UInt8]] {
            try StoredWeights(path: model).weights.filter { $0.key.hasPrefix("text_encoder.") }.mapValues(\.bytes)
        }
        let kept = try clap(alone)
        #expect(try kept.count > 10 && kept == clap(whole))
        // The small fixtures have no branch that hears; the published file has one, as every other.
        let published = try AuthorsCheckpoint(
            ShapeSource(AuthorsFixture.published(name)), name: name, settings: AuthorsSettings(modelName: name),
            usesAverage: false)
        let described = try CheckpointDescription(published).components.first { $0.name == "text_encoder" }
        #expect(try #require(described).shapes.keys.contains { $0.hasPrefix("audio_model.") })
        // It is no condition: without it the sounds are the same.
        let bare = try convert(name, without: ["text_encoder"])
        let options = SoundOptions(seconds: 0.3, numInferenceSteps: 2, seed: 1)
        let made = try await AudioLDM2Pipeline(opening: alone).generate("rain", options: options).clip.samples
        let expected = try await AudioLDM2Pipeline(opening: bare).generate("rain", options: options).clip.samples
        #expect(made == expected)
        #expect(try clap(bare).isEmpty)
    }

    private func samples(_ model: String, _ fixture: FolderFixture, _ profile: ReferenceProfile) async throws
        -> [Float]
    {
        let options = SoundOptions(
            speech: fixture.isSpeech ? .phonemes("wɪʃ juː") : nil, seconds: 0.3, numInferenceSteps: 2, seed: 1,
            profile: profile)
        return try await AudioLDM2Pipeline(opening: model).generate("a dog barking", options: options).clip.samples
    }

    /// Medium and large models of AudioLDM 1 can have tensors of the same shapes, and differ by their heads.
    @Test func headsFollowTheName() async throws {
        let path = try folder.write(AuthorsFixture("audioldm-l-full").encoded(), to: "unnamed.ckpt")
        func heads(_ name: String?) throws -> [Int]? {
            var input = CheckpointInput(path: path)
            input.modelName = name
            let config = try input.open().config("unet/config.json")
            let object = try JSONSerialization.jsonObject(with: Data(config)) as? [String: Any]
            return object?["attention_head_dim"] as? [Int]
        }
        #expect(try heads(nil) == [2, 4])
        #expect(try heads("audioldm-m-full") == [2, 4])
        #expect(try heads("audioldm-l-full") == [1, 2])
    }

    /// At its published width the large model is known without its name.
    @Test func widestUNetsHaveWiderHeads() throws {
        let checkpoint = try AuthorsCheckpoint(
            ShapeSource(AuthorsFixture("audioldm-s-full").keys.mapValues { $0.wider(by: 8) }), name: "model.ckpt",
            settings: AuthorsSettings(modelName: "model.ckpt"), usesAverage: false)
        let config = try JSONSerialization.jsonObject(with: Data(checkpoint.config("unet/config.json")))
        #expect((config as? [String: Any])?["attention_head_dim"] as? [Int] == [4, 8])
    }
}

/// A source whose every element is its own place in its tensor.
private struct PlaceSource: CheckpointSource {
    let name = "places.pth"
    let tensors: [String: TensorHeader]

    init(_ keys: [String: AuthorsFixture.Entry]) { tensors = ShapeSource(keys).tensors }

    private struct Places: SourceTensor {
        let key: String
        let shape: Shape

        var location: String { key }

        func read(_ range: Range<Int>, into buffer: UnsafeMutableBufferPointer<Float>) {
            for (place, value) in zip(buffer.indices, range) { buffer[place] = Float(value) }
        }
    }

    func open(_ key: String) throws -> any SourceTensor {
        guard let header = tensors[key] else { throw CheckpointError.noSuchTensor(file: name, tensor: key) }
        return Places(key: key, shape: header.shape)
    }
}

extension SourceTensor {
    fileprivate func read(_ range: Range<Int>) throws -> [Float] {
        var values = [Float](repeating: 0, count: range.count)
        try values.withUnsafeMutableBufferPointer { try read(range, into: $0) }
        return values
    }
}
