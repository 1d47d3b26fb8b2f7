import Foundation
import SoundServer
import Testing

/// The page is small, fetches nothing from elsewhere, and its files fit together. `Tests/Browser/drive_page.py` uses it.
@Suite struct PageTests {
    private static var scripts: [PageFile] { PageFile.all.filter { $0.path.hasSuffix(".js") } }

    private static func contents(of path: String) throws -> String {
        try #require(PageFile.all.first { $0.path == path }).contents
    }

    /// What stands between quotation marks after a word, such as `id=`.
    private static func values(of attribute: String, in text: some StringProtocol) -> [String] {
        String(text).components(separatedBy: attribute + "=\"").dropFirst()
            .map { String($0.prefix { $0 != "\"" }) }
    }

    @Test func isSmall() {
        #expect(PageFile.all.reduce(0) { $0 + $1.contents.utf8.count } < 100_000)
        for file in Self.scripts {
            #expect(file.contents.split(separator: "\n", omittingEmptySubsequences: false).count <= 300, "\(file.path)")
        }
    }

    /// Each script is a module that is served, and that another one or the page asks for.
    @Test func servesEveryModule() throws {
        let served = Self.scripts.map { $0.path }
        var asked = Self.values(of: "src", in: try Self.contents(of: "/"))
        for file in Self.scripts {
            asked += file.contents.matches(of: /from "\.(\/[a-z]+\.js)";/).map { String($0.output.1) }
        }
        #expect(Set(asked) == Set(served))
        #expect(Set(served).count == served.count)
        for path in ["/", "/page.css", "/openapi.yaml"] { #expect(PageFile.all.contains { $0.path == path }) }
    }

    @Test func fetchesNothingFromElsewhere() {
        for file in PageFile.all where file.path != "/openapi.yaml" {
            let addresses = file.contents.matches(of: /(https?:)?\/\/[a-z0-9.]+\.[a-z]+/).map { String($0.output.0) }
            #expect(
                addresses.allSatisfy { $0.hasPrefix("http://www.w3.org") || $0 == "//www.w3.org" },
                "\(file.path): \(addresses)")
        }
    }

    /// What the page's policy would block: scripts and styles inside of the HTML.
    @Test func holdsNothingInline() throws {
        let html = try Self.contents(of: "/")
        #expect(!html.contains(" style=") && !html.contains("<style") && !html.contains(" onclick="))
        #expect(html.matches(of: /<script(?![^>]*src=)/).isEmpty)
    }

    /// Elements that scripts look up by their names.
    @Test func hasWhatScriptsLookUp() throws {
        let ids = Self.values(of: " id", in: try Self.contents(of: "/"))
        #expect(Set(ids).count == ids.count)
        for file in Self.scripts {
            let sought = file.contents.matches(of: /\$\("([a-z-]+)"\)/).map { String($0.output.1) }
            #expect(sought.allSatisfy { ids.contains($0) }, "\(file.path): \(sought)")
        }
    }

    /// A field with a step refuses numbers between its steps: only whole numbers that people type, and the slider, have one.
    @Test func fieldsTakeWhatThePageWrites() throws {
        let fields = try Self.contents(of: "/").matches(of: /<input [^>]*>/).map { String($0.output) }
        for field in fields where field.contains("type=\"number\"") {
            let step = try #require(Self.values(of: "step", in: field).first, "\(field)")
            let id = try #require(Self.values(of: " id", in: field).first, "\(field)")
            #expect(step == "any" || (step == "1" && ["steps", "candidates"].contains(id)), "\(field)")
        }
        let slider = try #require(fields.first { $0.contains("type=\"range\"") })
        let (low, step, value) = (Self.number("min", slider), Self.number("step", slider), Self.number("value", slider))
        let steps = (value - low) / step
        #expect(abs(steps - steps.rounded()) < 1e-9, "\(slider)")
    }

    private static func number(_ attribute: String, _ field: String) -> Double {
        values(of: " " + attribute, in: field).first.flatMap { Double($0) } ?? .nan
    }

    /// Fields that count for some operations only name these as the server does.
    @Test func namesTheServersOperations() throws {
        let html = try Self.contents(of: "/")
        let shownFor = Set(Self.values(of: "data-for", in: html).flatMap { $0.split(separator: " ").map(String.init) })
        let offered = html.matches(of: /name="operation" value="([a-z]+)"/).map { String($0.output.1) }
        #expect(shownFor == Set(offered + ["generate"]).subtracting(["score"]))
        let known = try Self.contents(of: "/openapi.yaml")
        #expect(known.contains("enum: [generate, \(offered.joined(separator: ", "))]"))
    }
}
