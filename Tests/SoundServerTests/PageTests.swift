import Foundation
import SoundServer
import Testing

/// The page is small and fetches nothing from elsewhere.
@Suite struct PageTests {
    @Test func isSmall() {
        #expect(PageFile.all.reduce(0) { $0 + $1.contents.utf8.count } < 100_000)
        #expect(PageFile.all.map(\.path) == ["/", "/page.css", "/page.js", "/openapi.yaml"])
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
        let html = try #require(PageFile.all.first).contents
        #expect(!html.contains(" style=") && !html.contains("<style") && !html.contains(" onclick="))
        #expect(html.matches(of: /<script(?![^>]*src=)/).isEmpty)
    }
}
