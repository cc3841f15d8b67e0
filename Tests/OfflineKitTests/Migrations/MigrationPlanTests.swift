import OfflineDocuments
import Testing

@testable import OfflineKit

/// Which migrations are accepted, and which of them run from where to where.
@Suite struct MigrationPlanTests {
    struct Refusal: Sendable {
        let versions: [Int]
        let version: Int
        let says: String
    }

    static let refusals: [Refusal] = [
        Refusal(versions: [1, 2], version: 2, says: "leads to version 1"),
        Refusal(versions: [0], version: 2, says: "leads to version 0"),
        Refusal(versions: [-4, 2], version: 2, says: "leads to version -4"),
        Refusal(versions: [2, 2], version: 2, says: "both lead to version 2"),
        Refusal(versions: [3, 2, 3], version: 3, says: "both lead to version 3"),
        Refusal(versions: [2, 4], version: 4, says: "none leads to version 3"),
        Refusal(versions: [5, 2, 3], version: 5, says: "none leads to version 4"),
        Refusal(versions: [2, .max], version: 4, says: "none leads to version 3"),
        Refusal(versions: [2], version: 3, says: "leads to 2 only"),
        Refusal(versions: [3, 2], version: .max, says: "leads to 3 only"),
    ]

    @Test(arguments: refusals)
    func `a gap, a duplicate and a version out of range are refused`(refusal: Refusal) async throws
    {
        let place = try TestStore()
        let error = await expectError(.invalidOptions, "\(refusal)") {
            _ = try await place.open {
                $0.version = refusal.version
                $0.migrationManager = MigrationManager(refusal.versions.map { TestMigration($0) })
            }
        }
        #expect(
            error?.message.contains(refusal.says) == true, "\(refusal): \(error?.message ?? "")")
        #expect(error?.message.contains("migrationManager") == true)
    }

    struct Way: Sendable {
        let versions: [Int]
        let from: Int
        let to: Int
        /// The versions that the steps lead to, in the order of the steps; nil: refused.
        let steps: [Int]?
    }

    static let waysUp: [Way] = [
        Way(versions: [], from: 1, to: 9, steps: []),
        Way(versions: [2, 3, 4], from: 1, to: 4, steps: [2, 3, 4]),
        Way(versions: [4, 2, 3], from: 2, to: 4, steps: [3, 4]),
        Way(versions: [2, 3, 4], from: 4, to: 4, steps: []),
        Way(versions: [2, 3, 4], from: 1, to: 3, steps: [2, 3]),
        Way(versions: [2, 3, 4], from: 1, to: 1, steps: []),
        Way(versions: [3, 4], from: 2, to: 4, steps: [3, 4]),
        Way(versions: [3, 4], from: 1, to: 4, steps: nil),
        Way(versions: [.max], from: .max - 1, to: .max, steps: [.max]),
        Way(versions: [.max], from: .max, to: .max, steps: []),
    ]

    @Test(arguments: waysUp)
    func `the steps up are those between the versions, in order`(way: Way) throws {
        let plan = try MigrationPlan(way.versions.map { TestMigration($0) })
        let steps = try? plan.up(from: way.from, to: way.to).map(\.version)
        #expect(steps == way.steps, "\(way)")
    }

    static let waysDown: [Way] = [
        Way(versions: [], from: 2, to: 2, steps: []),
        Way(versions: [], from: 2, to: 1, steps: nil),
        Way(versions: [2, 3, 4], from: 4, to: 1, steps: [4, 3, 2]),
        Way(versions: [2, 3, 4], from: 3, to: 2, steps: [3]),
        Way(versions: [2, 3], from: 4, to: 2, steps: nil),
        Way(versions: [3, 4], from: 4, to: 1, steps: nil),
        Way(versions: [3, 4], from: 4, to: 2, steps: [4, 3]),
    ]

    @Test(arguments: waysDown)
    func `the steps down are the same ones, newest first`(way: Way) throws {
        let plan = try MigrationPlan(way.versions.map { TestMigration($0) })
        let steps = try? plan.down(from: way.from, to: way.to).map(\.version)
        #expect(steps == way.steps, "\(way)")
    }

    @Test func `the way down from a version that no migration leads to is too new`() async throws {
        let plan = try MigrationPlan([TestMigration(2)])
        await expectError(.versionTooNew) { _ = try plan.down(from: 3, to: 1) }
    }
}
