// Random schemas and values: the store decides as NaiveSchema does, with and without keeping results, and whatever bytes a schema is
// made of, it is compiled or refused, never a crash. Hostile ones are bounded in time and depth.
//
// SCHEMA_FUZZ_ROUNDS: how many schemas a seed (100). OFFLINE_SEED: one seed instead of four.
import Foundation
import OfflineDocuments
import StorageSimulation
import Testing

@testable import OfflineKit

@Suite("Schema fuzz") struct SchemaFuzzTests {
    private static let rounds =
        ProcessInfo.processInfo.environment["SCHEMA_FUZZ_ROUNDS"].flatMap { Int($0) } ?? 100

    @Test(arguments: SeededRandom.seeds(4))
    func `a value is accepted exactly where the plain definition accepts it`(
        seed: UInt64
    ) throws {
        var generator = SchemaGenerator(seed: seed)
        var keeping = SchemaEvaluation.Limits()
        keeping.stepsBeforeKeeping = 0
        keeping.memoryMax = 3
        var accepted = 0
        var refused = 0
        for round in 0..<Self.rounds {
            let schema = generator.schema()
            let check: SchemaCheck
            do {
                check = try SchemaCheck(schema)
            } catch let error as OfflineError {
                Issue.record("seed \(seed), round \(round): \(error), \(schema.json())")
                continue
            }
            for _ in 0..<20 {
                let value = generator.value()
                var naive = NaiveSchema(schema)
                guard let expected = try? naive.accepts(value) else { continue }
                if expected { accepted += 1 } else { refused += 1 }
                for limits in [SchemaEvaluation.Limits(), keeping] {
                    let failure = try check.failure(of: value, limits: limits)
                    let comment: Comment =
                        "seed \(seed), round \(round): \(schema.json()) of \(value.json())"
                    #expect((failure == nil) == expected, comment)
                    guard let failure else { continue }
                    // What is told is in the schema and in the value.
                    let message = failure.message(check.program, sensitive: [])
                    #expect(message.contains("#"), comment)
                }
            }
        }
        #expect(min(accepted, refused) > Self.rounds * 3, "seed \(seed)")
    }

    @Test(arguments: SeededRandom.seeds(4))
    func `what is no schema is refused and never crashes`(seed: UInt64) throws {
        var generator = SchemaGenerator(seed: seed)
        let keywords = SchemaKeyword.allCases.map(\.rawValue) + ["$schema", "title", "x"]
        func mangled(_ value: Value, _ generator: inout SchemaGenerator) -> Value {
            if generator.random.chance(1, in: 25) { return generator.value() }
            switch value {
            case .array(let elements): return .array(elements.map { mangled($0, &generator) })
            case .object(let document):
                return .object(
                    Document(
                        fields: document.map { name, value in
                            let isOther = generator.random.chance(1, in: 20)
                            let name =
                                isOther ? keywords[generator.random.below(keywords.count)] : name
                            return (name, mangled(value, &generator))
                        }))
            default: return value
            }
        }
        var compiled = 0
        for _ in 0..<Self.rounds {
            let schema = mangled(generator.schema(), &generator)
            do {
                let check = try SchemaCheck(schema)
                compiled += 1
                for _ in 0..<5 { _ = try check.failure(of: generator.value()) }
            } catch let error as OfflineError {
                #expect(error.code == .invalidOptions, "seed \(seed): \(error)")
                #expect(error.message.hasPrefix("validation"), "seed \(seed): \(error)")
            }
        }
        #expect(compiled > 0 && compiled < Self.rounds, "seed \(seed)")
    }

    @Test func `schemas that could be asked in exponentially many ways take linear time`() throws {
        // Twelve levels, each asked twice by the one above, about one value; and a tree asked twice at each of 60 levels.
        var definitions: Document = ["d0": ["type": "string"]]
        for level in 1...12 {
            let lower = Value.object(["$ref": .string("#/$defs/d\(level - 1)")])
            definitions["d\(level)"] = ["anyOf": [lower, lower, lower]]
        }
        let wide = try SchemaCheck(["$defs": .object(definitions), "$ref": "#/$defs/d12"])
        let deep = try SchemaCheck(
            json: """
                {"$defs": {"t": {"anyOf": [
                    {"properties": {"c": {"$ref": "#/$defs/t"}}, "allOf": [{"required": ["x"]}]},
                    {"properties": {"c": {"$ref": "#/$defs/t"}}, "allOf": [{"required": ["y"]}]},
                    {"const": 1}]}}, "$ref": "#/$defs/t"}
                """)
        var nested: Value = 1
        for _ in 0..<60 { nested = ["c": nested, "y": 1] }
        var broken: Value = [:]
        for _ in 0..<60 { broken = ["c": broken, "y": 1] }
        var limits = SchemaEvaluation.Limits()
        limits.stepsMax = 1 << 16
        #expect(try wide.failure(of: 1, limits: limits) != nil)
        #expect(try deep.failure(of: nested, limits: limits) == nil)
        #expect(try deep.failure(of: broken, limits: limits) != nil)
        limits.stepsBeforeKeeping = .max
        #expect(throws: SchemaEvaluation.Stop.tooManySteps) {
            try deep.failure(of: broken, limits: limits)
        }
    }

    @Test func `the deepest record and the longest chain of schemas fit the stack`() throws {
        var tree: Value = ["additionalProperties": ["$ref": "#"]]
        for _ in 0..<2 { tree = ["allOf": [tree]] }
        let schema = try SchemaCheck(tree)
        var deep: Value = 1
        for _ in 0..<98 { deep = ["c": deep] }
        #expect(try schema.failure(of: deep) == nil)
        for _ in 0..<10 { tree = ["allOf": [tree]] }
        let entangled = try SchemaCheck(tree)
        #expect(throws: SchemaEvaluation.Stop.tooDeep) { try entangled.failure(of: deep) }
    }

    @Test func `many elements are found equal without comparing all with all`() throws {
        let schema = try SchemaCheck(["uniqueItems": true])
        let many = (0..<20_000).map { Value.object(["n": .int(Int64($0)), "m": [.int(1)]]) }
        #expect(try schema.failure(of: .array(many)) == nil)
        let failure = try schema.failure(of: .array(many + [["m": [1.0], "n": 77]]))
        guard case .both(77, 20_000)? = failure?.detail else {
            Issue.record("\(String(describing: failure))")
            return
        }
    }
}
