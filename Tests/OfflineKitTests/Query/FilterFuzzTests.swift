// Random objects as filters: whatever a caller hands over is either refused or evaluated, and both come to an end.
import Foundation
import OfflineBytes
import OfflineDocuments
import Testing

@testable import OfflineKit

struct FilterFuzzTests {
    private static let names =
        Array(FilterParser.valueOperators).sorted()
        + ["$and", "$or", "$nor", "$text", "$search", "$date", "$data", "$", "$x"]
        + ["a", "b", "a.b", "a.0", "a..b", "", ".", "é"]

    /// Any value, with operators wherever a name is.
    private static func operand(_ random: inout QueryRandom, depth: Int = 0) -> Value {
        switch random.below(depth > 4 ? 7 : 12) {
        case 0: return .null
        case 1: return .int(random.pick([0, 1, -1, 2, .max, .min]))
        case 2: return .double(random.pick([0.5, -1, .nan, .infinity, 1e300]))
        case 3, 4:
            return .string(
                random.pick(["", "a", "(a", "^a+$", "[", "i", "int", "array", "null", "\\1"]))
        case 5: return .bool(random.chance(50))
        case 6: return [random.pick([1, 2, 0]), random.pick([1, 0])]
        case 7, 8:
            return .array(
                (0..<random.below(4)).map { _ in operand(&random, depth: depth + 1) })
        default: return .object(filter(&random, depth: depth + 1))
        }
    }

    private static func filter(_ random: inout QueryRandom, depth: Int = 0) -> Document {
        Document(
            fields: (0..<random.below(4)).map { _ in
                (random.pick(names), operand(&random, depth: depth))
            })
    }

    @Test func `any object is refused as an invalid query, or can be evaluated`() throws {
        var accepted = 0
        for seed in UInt64(1)...30_000 {
            var random = QueryRandom(seed: seed)
            let filter = Self.filter(&random)
            do {
                _ = try FilterParser.parseQuery(Filter(filter))
            } catch let error as OfflineError {
                #expect(error.code == .invalidQuery && !error.message.isEmpty, "seed \(seed)")
                continue
            }
            accepted += 1
            guard filter["$text"] == nil else { continue }
            var generator = QueryGenerator(seed: seed)
            for record in generator.records(3, keyPaths: ["id"]) {
                _ = try PredicateTests.matches(filter, record)
                _ = try PredicateTests.matches(filter, record, collation: .caseInsensitive)
            }
        }
        #expect(accepted > 1_000)
    }

    @Test func `filters of any bytes of JSON come to an end`() {
        let text = Array(
            """
            {"filters": {"a": {"$elemMatch": {"$gt": 1, "$not": {"$regex": "^a|b{2,3}", "$options": "i"}}},
            "$or": [{"b": {"$all": [{"$elemMatch": {"c": 1}}, 2]}}, {"c": {"$mod": [4, 1]}}]}}
            """.utf8)
        var accepted = 0
        for seed in UInt64(1)...5_000 {
            var random = QueryRandom(seed: seed)
            var bytes = text
            for _ in 0...random.below(3) {
                let index = random.below(bytes.count)
                switch random.below(3) {
                case 0: bytes[index] = UInt8(truncatingIfNeeded: random.next())
                case 1: bytes.remove(at: index)
                default: bytes.insert(bytes[random.below(bytes.count)], at: index)
                }
            }
            guard let query = try? Query(json: Data(bytes)) else { continue }
            if (try? CheckedQuery(query)) != nil { accepted += 1 }
        }
        #expect(accepted > 50)
    }
}
