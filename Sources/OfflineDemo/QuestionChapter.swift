// Second chapter: what a user would ask. Filters, ranges, sorts, pages, counts, and how the store answers.
internal import Foundation
internal import OfflineKit

struct QuestionChapter {
    let store: OfflineStore
    let source: SourceData

    func run() async throws {
        Console.section("Questions")
        try await range()
        try await compound()
        try await count()
        try await deepPage()
        try await several()
        try await builder()
        try await explain()
    }

    private func names(_ documents: [Document]) -> [String] {
        documents.compactMap { $0["name"]?.stringValue }
    }

    /// As the store orders strings: by their UTF-8 bytes.
    private func sorted(_ names: [String]) -> [String] {
        names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    private func range() async throws {
        Console.question(
            "Which countries begin with \"Sw\"?",
            code:
                #"{"filters": {"name": {"$gte": "Sw", "$lt": "Sx"}}, "sort": [{"field": "name"}]}"#)
        let query = Query(
            filters: ["name": ["$gte": "Sw", "$lt": "Sx"]], sort: [.ascending("name")])
        let found = names(try await store.query("countries", query))
        try Check.equal(
            "countries from Sw to Sx", found,
            sorted(source.countries.map(\.name).filter { $0.hasPrefix("Sw") }))
        Console.answer(found.joined(separator: ", "))
    }

    private func compound() async throws {
        Console.question(
            "The first cantons by name?",
            code: #"filters: ["type": "Canton"], sort: [.ascending("name")], limit: 5"#)
        let query = Query(filters: ["type": "Canton"], sort: [.ascending("name")], limit: 5)
        let found = names(try await store.query("subdivisions", query))
        let expected = sorted(source.subdivisions.filter { $0.type == "Canton" }.map(\.name))
        try Check.equal("the first cantons", found, Array(expected.prefix(5)))
        let plan = try await store.explain("subdivisions", query)
        Console.answer(
            found.joined(separator: ", "),
            "filter and sort both come from the compound index \(indexName(plan)): \(plan.sortedByIndex ? "nothing is sorted" : "sorted")"
        )
    }

    private func count() async throws {
        Console.question(
            "How many languages are extinct?", code: #"store.count("languages", ["type": "E"])"#)
        let filters: Filter = ["type": "E"]
        let clock = ContinuousClock()
        let start = clock.now
        let count = try await store.count("languages", filters)
        let time = clock.now - start
        try Check.equal(
            "extinct languages", count, source.languages.count { $0.type == "E" })
        Console.answer("\(count.grouped), counted in the index's branches in \(time.text)")
    }

    private func deepPage() async throws {
        Console.question(
            "Languages by name, page 1,401 of five?",
            code: #"sort: [.ascending("name")], limit: 5, offset: 7_000"#)
        let query = Query(sort: [.ascending("name")], limit: 5, offset: 7_000)
        let clock = ContinuousClock()
        let start = clock.now
        let found = try await store.query("languages", query)
        let time = clock.now - start
        try Check.equal(
            "a deep page", names(found),
            Array(sorted(source.languages.map(\.name)).dropFirst(7_000).prefix(5)))
        Console.answer(
            names(found).joined(separator: ", "),
            "\(time.text): the index knows where its 7,001st entry is, and skips to it")
    }

    private func several() async throws {
        let codes = ["CHF", "EUR", "JPY"]
        Console.question(
            "Three currencies at once?",
            code: #"filters: ["alpha_3": ["$in": ["CHF", "EUR", "JPY"]]]"#)
        let found = try await store.query(
            "currencies", Query(filters: ["alpha_3": ["$in": ["CHF", "EUR", "JPY"]]]))
        let expected = source.currencies.filter { codes.contains($0.alpha_3) }
            .sorted { $0.alpha_3 < $1.alpha_3 }.map(\.name)
        try Check.equal("three currencies", names(found), expected)
        Console.answer(names(found).joined(separator: ", "))
    }

    private func builder() async throws {
        Console.question(
            "Time zones within five degrees of the equator, in Africa or the Pacific?",
            code: #"Field("latitude") >= -5 && Field("latitude") <= 5 && (Field("name") >= … || …)"#
        )
        let africa = Field("name") >= "Africa/" && Field("name") < "Africa0"
        let pacific = Field("name") >= "Pacific/" && Field("name") < "Pacific0"
        let filter = Field("latitude") >= -5 && Field("latitude") <= 5 && (africa || pacific)
        let found = names(try await store.query("timeZones", Query(filters: filter)))
        let expected = source.timeZones.filter { zone in
            (-5...5).contains(zone.latitude)
                && (zone.name.hasPrefix("Africa/") || zone.name.hasPrefix("Pacific/"))
        }.map(\.name)
        try Check.equal("zones on the equator", found, sorted(expected))
        Console.answer(found.joined(separator: ", "))
    }

    private func explain() async throws {
        let query = Query(filters: ["country": "US", "type": "State"], sort: [.ascending("name")])
        Console.question(
            "How would it find the states of the US?",
            code:
                #"explain("subdivisions", filters: ["country": "US", "type": "State"], …, analyze: true)"#
        )
        let plan = try await store.explain("subdivisions", query, analyze: true)
        let expected = source.subdivisions.count { $0.country == "US" && $0.type == "State" }
        try Check.equal("states of the US", plan.returnedRecords, expected)
        for line in plan.description.split(separator: "\n") { Console.answer(String(line)) }
    }

    private func indexName(_ plan: QueryPlan) -> String {
        if case .index(let name) = plan.access { return "\"\(name)\"" }
        return "(none)"
    }
}
