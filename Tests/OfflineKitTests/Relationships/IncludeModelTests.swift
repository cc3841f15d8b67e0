// Random includes in random worlds, against their definition. OFFLINE_INCLUDE_WORLDS sets the number of worlds (150 by default),
// OFFLINE_INCLUDE_SEED the first seed; a failure names its world's.
import Foundation
import Testing

@testable import OfflineKit

struct IncludeModelTests {
    private static func setting(_ name: String, or standard: Int) -> Int {
        ProcessInfo.processInfo.environment[name].flatMap(Int.init) ?? standard
    }

    @Test func `includes are what they are by definition, with indexes and without`() async throws {
        let worlds = Self.setting("OFFLINE_INCLUDE_WORLDS", or: 150)
        let firstSeed = Self.setting("OFFLINE_INCLUDE_SEED", or: 4_711)
        var nested = 0
        var found = 0
        for number in 0..<worlds {
            let seed = UInt64(firstSeed + number)
            var world = RelationWorld(seed: seed)
            let fixture = try await QueryFixture(world.schema)
            for name in RelationWorld.names {
                try await fixture.create(name, world.records[name] ?? [])
            }
            let engine = try fixture.engine()
            let naive = NaiveRelations(schema: world.schema, records: world.records)
            for _ in 0..<6 {
                let name = world.random.pick(RelationWorld.names)
                let includes = world.includes(of: name)
                let expected = NaiveQuery.run(
                    world.records[name] ?? [], keyPaths: naive.schema(of: name).keyPaths,
                    filter: [:]
                ).map { naive.including(includes, in: $0, of: name) }
                let result = try engine.query(name, Query(include: includes))
                #expect(result == expected, "seed \(seed), \(name) with \(includes)")
                if let record = expected.randomElement(using: &world.random) {
                    let key = NaiveRelations.key(of: record, naive.schema(of: name))
                    let one = try engine.get(name, key, include: includes)
                    #expect(one == record, "seed \(seed), \(name) \(key) with \(includes)")
                }
                if includes.contains(where: { $0.path.contains(".") }) { nested += 1 }
                found += result.count
            }
        }
        if worlds >= 150 { #expect(nested > 200 && found > 1_000) }
    }
}
