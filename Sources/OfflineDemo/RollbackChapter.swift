// Fourth chapter: a transaction that changes its mind.
internal import Foundation
internal import OfflineKit

struct RollbackChapter {
    let store: OfflineStore
    let source: SourceData

    private struct ChangeOfMind: Error {}

    func run() async throws {
        Console.section("A transaction rolled back")
        let expected = source.subdivisions.count { $0.country == "CH" }
        let before = try await store.get("countries", "CH")
        do {
            try await store.transaction(["countries", "subdivisions"]) { transaction in
                let cantons = try await transaction.query(
                    "subdivisions", Query(filters: ["country": "CH"]))
                let codes = cantons.compactMap { $0["code"] }
                let deleted = try await transaction.deleteBatch("subdivisions", codes)
                try await transaction.update(
                    "countries", ["alpha_2": "CH", "name": "Helvetia"], mode: .merge)
                let left = try await transaction.count("subdivisions", ["country": "CH"])
                let name = try await transaction.get("countries", "CH")?["name"]?.stringValue
                try Check.equal("deleted cantons", deleted, expected)
                try Check.equal("cantons left inside the transaction", left, 0)
                try Check.equal("the new name inside", name, "Helvetia")
                Console.line("inside:  \(left) cantons left, the country is called \(name ?? "")")
                throw ChangeOfMind()
            }
        } catch is ChangeOfMind {
            let left = try await store.count("subdivisions", ["country": "CH"])
            let after = try await store.get("countries", "CH")
            try Check.equal("cantons after the rollback", left, expected)
            try Check.equal("the country after the rollback", after, before)
            Console.line(
                "outside: \(left) cantons, the country is called \(after?["name"]?.stringValue ?? "")"
            )
        }
    }
}
