// The public JSON Schema test suite, draft 2020-12, where the environment variable OFFLINE_VECTORS names the folder that has it;
// SchemaKeywordTests has tables of its own over the same ground.
//
// A group whose schema has a keyword that isn't known, or refers to what isn't in it, must be refused. All others must agree.
import Foundation
import OfflineDocuments
import Testing

@testable import OfflineKit

@Suite("Schema vectors") struct SchemaVectorTests {
    private static let folder = ProcessInfo.processInfo.environment["OFFLINE_VECTORS"].map {
        URL(filePath: $0).appending(path: "json-schema/tests/draft2020-12")
    }

    /// Without those that aren't of what is known here: other drafts, and numbers beyond those that a store has.
    static let files: [URL] = {
        guard let folder else { return [] }
        return [folder, folder.appending(path: "optional")].flatMap { folder in
            let found = try? FileManager.default.contentsOfDirectory(
                at: folder, includingPropertiesForKeys: nil)
            return (found ?? []).filter { $0.pathExtension == "json" }
                .sorted { $0.lastPathComponent < $1.lastPathComponent }
        }
    }()

    /// Why a group may be refused, as the message says it.
    private static let reasons = [
        "no such keyword is known", "nothing is fetched", "no other schemas are known",
        // A place that is none of a schema's, where what stands there happens to look like one.
        "there is no schema at \"#/examples/0\"",
    ]

    /// How many groups the suite has that were decided.
    private func decide(_ file: URL) throws -> Int {
        var decided = 0
        for group in try #require(try Value(json: Data(contentsOf: file)).arrayValue) {
            let name = "\(file.lastPathComponent): \(group["description"]?.stringValue ?? "")"
            let schema: SchemaCheck
            do {
                schema = try SchemaCheck(#require(group["schema"]))
            } catch let error as OfflineError {
                #expect(error.code == .invalidOptions)
                #expect(
                    Self.reasons.contains { error.message.contains($0) }, "\(name): \(error)")
                continue
            }
            decided += 1
            for test in group["tests"]?.arrayValue ?? [] {
                let failure = try schema.failure(of: #require(test["data"]))
                #expect(
                    (failure == nil) == test["valid"]?.boolValue,
                    "\(name): \(test["description"]?.stringValue ?? "")")
            }
        }
        return decided
    }

    @Test func `a group of the suite is refused by name or decided as the suite says`() throws {
        guard Self.folder != nil else {
            print("OFFLINE_VECTORS isn't set: the public vectors of JSON Schema are skipped")
            return
        }
        let decided = try Self.files.reduce(0) { try $0 + decide($1) }
        #expect(decided >= 250)
    }
}
