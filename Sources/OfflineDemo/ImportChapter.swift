// First chapter: the data go into the store, a batch a collection.
internal import Foundation
internal import OfflineKit

struct ImportChapter {
    let source: SourceData
    let folder: URL

    func run() async throws -> OfflineStore {
        Console.section("Real data")
        Console.line("from \(source.isoCodesFolder) and \(source.timeZoneFile)")
        let store = try await OfflineStore.open(WorldSchema.options(in: folder))
        let clock = ContinuousClock()
        let start = clock.now
        try await add("countries", source.countries, to: store)
        try await add("subdivisions", source.subdivisions, to: store)
        try await add("languages", source.languages, to: store)
        try await add("currencies", source.currencies, to: store)
        try await add("scripts", source.scripts, to: store)
        try await add("timeZones", source.timeZones, to: store)
        let time = clock.now - start
        Console.line(
            "\(source.recordCount.grouped) records in \(time.text), each batch atomic and on disk before the next"
        )
        return store
    }

    private func add<Element: Encodable>(
        _ collection: String, _ elements: [Element], to store: OfflineStore
    ) async throws {
        let documents = try elements.map { try Document(encoding: $0) }
        try await store.createBatch(collection, documents)
        let count = try await store.count(collection)
        try Check.equal("the number of \(collection)", count, elements.count)
        let name = collection.padding(toLength: 14, withPad: " ", startingAt: 0)
        Console.line("  \(name)\(count.grouped)")
    }
}

extension SourceData {
    var recordCount: Int {
        countries.count + subdivisions.count + languages.count + currencies.count + scripts.count
            + timeZones.count
    }
}
