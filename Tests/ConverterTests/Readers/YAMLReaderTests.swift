import AudioLDM2Converter
import Checkpoints
import Testing

@Suite struct YAMLReaderTests {
    private func read(_ text: String) throws -> YAMLValue { try YAMLReader.read(text, file: "config.yaml") }

    private func scalars(_ values: String...) -> YAMLValue { .sequence(values.map(YAMLValue.scalar)) }

    @Test func readsWhatConfigurationsAreWrittenIn() throws {
        let root = try read(
            """
            --- # of a model
            name: "a # b"   # no part of it
            empty:

            variables:
              rate: &rate 16000
              list: &list [8, 4,  # begun here
                2]
            steps:
            - 1
            - key: *rate
              'other key': it's: fine
            - - nested
              - ~
            deep:
                far:
                    - x
            map: {a: 1, "b": [c, {d: 'e, f'}], g: *list, h: {}}
            url: http://host:80/x#y
            again: *list
            block: &block
              inner: 1
            copy: *block
            """)
        #expect(
            root["name"] == .scalar("a # b") && root["empty"] == .null && root["variables.rate"] == .scalar("16000"))
        #expect(root["variables.list"] == scalars("8", "4", "2") && root["again"] == root["variables.list"])
        #expect(
            root["steps"]
                == .sequence([
                    .scalar("1"),
                    .mapping([
                        .init(key: "key", value: .scalar("16000")),
                        .init(key: "other key", value: .scalar("it's: fine")),
                    ]),
                    .sequence([.scalar("nested"), .null]),
                ]))
        #expect(root["deep.far"] == scalars("x") && root["url"] == .scalar("http://host:80/x#y"))
        #expect(root["map.a"] == .scalar("1") && root["map.g"] == root["again"] && root["map.h"] == .mapping([]))
        #expect(root["map.b"] == .sequence([.scalar("c"), .mapping([.init(key: "d", value: .scalar("e, f"))])]))
        #expect(root["copy.inner"] == .scalar("1") && root["copy.missing"] == nil && root["name.x"] == nil)
        #expect(root.first("inner") == .scalar("1") && root.first("nothing") == nil)
        #expect(try read("") == .null && read("# nothing\n\n") == .null && read("plain") == .scalar("plain"))
    }

    @Test(arguments: [
        ("a: 1\n  b: 2", 2), ("a:\n    b: 1\n  c: 2", 3), ("a: 1\na: 2", 2), ("\n\na: *b", 3), ("a: |\n  text", 1),
        ("a: > x", 1), ("a: !!int 3", 1), ("a:\n\tb: 1", 2), ("a: 1\n---\nb: 2", 2), ("%YAML 1.2\na: 1", 1),
        ("a: [1, 2", 1), ("a: [1\nb: 2", 2), ("a: 'x", 1), ("a: \"x\\n\"", 1), ("a: [1] 2", 1), ("a: {b c}", 1),
        ("a: &b 1\nc:\n  <<: *b", 3), ("- a\nb: 1", 2), ("a: ]", 1), ("a: {[1]: 2}", 1),
    ])
    func namesTheLineOfWhatItDoesNotRead(text: String, line: Int) throws {
        let error = try #require(throws: CheckpointError.self) { _ = try read(text) }
        guard case .invalidLine("config.yaml", line, _) = error else {
            Issue.record("\(error)")
            return
        }
    }

    @Test func endsWithDeepAndRepeatedNesting() throws {
        for deep in [
            String(repeating: "[", count: 10_000) + String(repeating: "]", count: 10_000),
            (0..<1000).map { String(repeating: " ", count: $0) + "a:" }.joined(separator: "\n"),
            String(repeating: "- ", count: 10_000) + "x",
        ] {
            #expect(throws: CheckpointError.self) { _ = try read(deep) }
        }
        // A few lines that stand for 10³⁰ values.
        let bomb =
            ["a0: &a0 [x, x]"]
            + (1..<100).map { level in "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1)]" }
        #expect(try read(bomb.joined(separator: "\n")).first("nothing") == nil)
    }

    /// Anchors that name anchors make a value of any depth, which is taken apart by recursion.
    @Test func chainsOfAnchorsAreShort() throws {
        func chain(_ length: Int) -> String {
            (1...length).reduce("k0: &a0 [x]\n") { $0 + "k\($1): &a\($1) [*a\($1 - 1)]\n" }
        }
        #expect(try read(chain(99))["k99"] != nil)
        #expect(throws: CheckpointError.self) { try read(chain(100)) }
        #expect(throws: CheckpointError.self) { try read(chain(50_000)) }
        // Next to each other they are no chain.
        let wide = (1...100).reduce("k0: &a0 [x]\n") { $0 + "k\($1): &a\($1) {y: *a0}\n" }
        #expect(try read(wide)["k100.y"] == scalars("x"))
        #expect(try read("a: &a\n  b: &b [1]\n  c: *b\nd: *a")["d.c"] == scalars("1"))
    }

    @Test func timeGrowsWithTheTextAlone() throws {
        let text = (0..<100_000).map { "k\($0): 1\n" }.joined()
        var root = YAMLValue.null
        let took = try ContinuousClock().measure { root = try read(text) }
        #expect(root["k99999"] == .scalar("1"))
        #expect(took < .seconds(10))
    }
}
