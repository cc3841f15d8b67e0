// The public JSON test suite, where the environment variable OFFLINE_VECTORS names the folder that has it; JSONParserTests has a
// table of its own over the same ground.
import Foundation
import Testing

@testable import OfflineDocuments

@Suite struct JSONSuiteTests {
    static let files: [URL] = {
        guard let folder = ProcessInfo.processInfo.environment["OFFLINE_VECTORS"] else { return [] }
        let suite = URL(filePath: folder).appending(path: "json-suite")
        return ["test_parsing", "test_transform"].flatMap { name in
            let found = try? FileManager.default.contentsOfDirectory(
                at: suite.appending(path: name), includingPropertiesForKeys: nil)
            return (found ?? []).filter { $0.pathExtension == "json" }
                .sorted { $0.lastPathComponent < $1.lastPathComponent }
        }
    }()

    @Test(arguments: files)
    func `a file of the suite is accepted or refused as its name says`(_ file: URL) throws {
        let text = try Data(contentsOf: file)
        switch file.lastPathComponent.prefix(2) {
        case "y_":
            let value = try Value(json: text)
            #expect(try Value(json: Data(value.json().utf8)).isIdentical(to: value))
        case "n_":
            let error = #expect(throws: OfflineError.self) { try Value(json: text) }
            #expect(error?.code == .invalidJSON)
        default:
            _ = try? Value(json: text)
        }
    }

    @Test func `the suite is complete where it is present`() {
        let isNamed = ProcessInfo.processInfo.environment["OFFLINE_VECTORS"] != nil
        #expect(isNamed ? Self.files.count > 300 : Self.files.isEmpty)
    }
}
