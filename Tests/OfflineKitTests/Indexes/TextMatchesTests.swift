// Searches against a scorer that computes everything from the documents.
import Foundation
import OfflineDocuments
import Testing

@testable import OfflineKit

@Suite struct TextMatchesTests {
    private static let paths = ["title", "tags"]

    /// What a search must find: keys and scores, the best first.
    private static func ranked(
        _ records: [Document], _ search: String
    ) -> [(key: Int, score: Double)] {
        let counts = records.map { NaiveIndex.wordCounts($0, paths) }
        let mean = max(
            Double(counts.reduce(0) { $0 + $1.count }) / Double(max(records.count, 1)), 1)
        let words = Set(NaiveText.words(search).map { ExactString($0) }).sorted {
            Array($0.text.utf8).lexicographicallyPrecedes(Array($1.text.utf8))
        }
        var frequencies: [ExactString: Int] = [:]
        for word in counts.flatMap(\.keys) { frequencies[word, default: 0] += 1 }
        var found: [(key: Int, score: Double)] = []
        for (record, counts) in zip(records, counts) {
            var score = 0.0
            for word in words {
                guard let count = counts[word] else { continue }
                let having = Double(frequencies[word] ?? 0)
                let weight = log(1 + (Double(records.count) - having + 0.5) / (having + 0.5))
                let lengthClass = NaiveIndex.lengthClass(counts.count)
                let length = Double(TextIndex.length(ofClass: lengthClass)) / mean
                let frequency = Double(min(count, 255))
                score += weight * frequency * 2.2 / (frequency + 1.2 * (0.25 + 0.75 * length))
            }
            if score > 0 { found.append((record["id"]?.intValue ?? 0, score)) }
        }
        return found.sorted { $0.score > $1.score || $0.score == $1.score && $0.key < $1.key }
    }

    private static func text(_ random: inout SeededGenerator, _ count: Int) -> String {
        (0..<count).map { _ in "w\(random.below(1 + random.below(40)))" }.joined(separator: " ")
    }

    private static func matches(_ view: ReadView, _ search: String) throws -> TextMatches {
        let collection = try view.collection("c")
        return try TextMatches(
            view, collection, try collection.index("words"), try TextMatches.words(of: search))
    }

    private static func keys(_ list: KeyList) throws -> [Int] {
        var key: [UInt8] = []
        return try (0..<list.count).map { index in
            list.copy(index, into: &key)
            return try KeyDecoder.value(key).intValue ?? -1
        }
    }

    @Test(arguments: 1...6 as ClosedRange<UInt64>)
    func `matches, counts and ranks are those of the documents`(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let records: [Document] = (0..<80).map { number in
            var record: Document = ["id": .int(Int64(number))]
            if random.chance(9, in: 10) {
                record["title"] = .string(
                    Self.text(&random, random.below(random.chance(1, in: 8) ? 60 : 6)))
            }
            if random.chance(1, in: 3) {
                record["tags"] = [.string(Self.text(&random, 2)), 5, "W1"]
            }
            return record
        }
        let schema = CollectionSchema(
            name: "c", indexes: [.fullText(name: "words", keyPaths: Self.paths)])
        let fixture = try await QueryFixture(schema, records)
        let view = try fixture.view()
        for step in 0..<40 {
            let search = Self.text(&random, random.below(6)) + (step % 5 == 0 ? " nowhere!" : "")
            let place: Comment = "seed \(seed), step \(step): \(search)"
            let expected = Self.ranked(records, search)
            let matches = try Self.matches(view, search)
            #expect(try matches.count() == expected.count, place)
            #expect(matches.countMax >= expected.count, place)
            var found: [(key: Int, score: Double)] = []
            try matches.forEach { key, score in
                found.append((try KeyDecoder.value(key).intValue ?? -1, score))
                return true
            }
            let inOrder = expected.sorted { $0.key < $1.key }
            #expect(found.map(\.key) == inOrder.map(\.key), place)
            #expect(found.map(\.score) == inOrder.map(\.score), place)
            #expect(try Self.keys(matches.best(nil)) == expected.map(\.key), place)
            let limit = random.below(10)
            #expect(
                try Self.keys(matches.best(limit)) == expected.prefix(limit).map(\.key), place)
        }
    }

    @Test func `rarer words, repeated words and shorter records come first`() async throws {
        let records: [Document] = [
            ["id": 1, "title": "common rare"], ["id": 2, "title": "common common other"],
            ["id": 3, "title": "common"], ["id": 4, "title": "common and many more words beside"],
            ["id": 5, "title": "nothing"],
        ]
        let schema = CollectionSchema(
            name: "c", indexes: [.fullText(name: "words", keyPaths: Self.paths)])
        let view = try await QueryFixture(schema, records).view()
        #expect(try Self.keys(Self.matches(view, "COMMON, rare").best(nil)) == [1, 2, 3, 4])
        #expect(try Self.keys(Self.matches(view, "absent").best(nil)) == [])
        #expect(try Self.keys(Self.matches(view, "").best(5)) == [])
    }

    @Test func `a walk ends when it is told to`() async throws {
        let records: [Document] = (0..<10).map { ["id": .int(Int64($0)), "title": "x y"] }
        let schema = CollectionSchema(
            name: "c", indexes: [.fullText(name: "words", keyPaths: Self.paths)])
        let view = try await QueryFixture(schema, records).view()
        var visited = 0
        try Self.matches(view, "x y").forEach { _, _ in
            visited += 1
            return visited < 3
        }
        #expect(visited == 3)
    }

    @Test func `a malformed entry is corrupted, and nothing worse`() async throws {
        let schema = CollectionSchema(
            name: "c", indexes: [.fullText(name: "words", keyPaths: Self.paths)])
        let word = KeyEncoder.key(.string("x"))
        for rest: [UInt8] in [[], [1], [1, 1]] {
            let fixture = try await QueryFixture(schema, [])
            let batch = try fixture.backend.begin([CollectionID(1)], reading: [])
            let entry = word + rest
            try unsafe batch.insert(TreeID(CollectionID(1), 1), key: entry.span.bytes)
            try await batch.commit(appended: {}, committed: { _ in })
            let view = try fixture.view()
            let error = #expect(throws: OfflineError.self) {
                try Self.matches(view, "x").forEach { _, _ in true }
            }
            #expect(error?.code == .corrupted)
        }
    }

    @Test func `too many words are refused`() throws {
        let most = (0..<TextMatches.wordsMax).map { "w\($0)" }.joined(separator: " ")
        #expect(try TextMatches.words(of: most + " W0 w1").count == TextMatches.wordsMax)
        let error = #expect(throws: OfflineError.self) { try TextMatches.words(of: most + " more") }
        #expect(error?.code == .invalidQuery)
    }

    @Test func `ranks order scores from high to low`() {
        let scores = [1e-300, 1e-9, 0.5, 0.5.nextUp, 1, 3.25, 1e6]
        let ranks = scores.map { score in
            var bytes: [UInt8] = []
            TextMatches.appendRank(of: score, to: &bytes)
            return bytes
        }
        #expect(ranks.sorted { $0.lexicographicallyPrecedes($1) } == ranks.reversed())
    }
}
