// Third chapter: records that belong together.
internal import Foundation
internal import OfflineKit

struct RelationChapter {
    let store: OfflineStore
    let source: SourceData

    func run() async throws {
        Console.section("Relationships")
        try await toMany()
        try await toOne()
    }

    private func toMany() async throws {
        Console.question(
            "A country with its subdivisions and time zones?",
            code: #"store.get("countries", "AT", include: ["subdivisions", "timeZones"])"#)
        let country = try await store.get(
            "countries", "AT", include: ["subdivisions", "timeZones"])
        let subdivisions = country?["subdivisions"]?.arrayValue ?? []
        let zones = country?["timeZones"]?.arrayValue ?? []
        let codes = subdivisions.compactMap { $0["code"]?.stringValue }
        try Check.equal(
            "Austria's subdivisions", codes,
            source.subdivisions.filter { $0.country == "AT" }.map(\.code).sorted())
        try Check.equal(
            "Austria's time zones", zones.compactMap { $0["name"]?.stringValue },
            source.timeZones.filter { $0.country == "AT" }.map(\.name).sorted())
        let names = subdivisions.compactMap { $0["name"]?.stringValue }
        Console.answer(
            "\(country?["name"]?.stringValue ?? "") (\(country?["official_name"]?.stringValue ?? ""))",
            names.joined(separator: ", "),
            zones.compactMap { $0["name"]?.stringValue }.joined(separator: ", "))
    }

    private func toOne() async throws {
        Console.question(
            "The northernmost time zones, each with its country?",
            code: #"sort: [.descending("latitude")], limit: 4, include: ["land"]"#)
        let found = try await store.query(
            "timeZones", Query(sort: [.descending("latitude")], limit: 4, include: ["land"]))
        let lines = found.map { zone in
            "\(zone["name"]?.stringValue ?? ""): \(zone["land"]?["name"]?.stringValue ?? "no country")"
        }
        let countries = Dictionary(
            source.countries.map { ($0.alpha_2, $0.name) }, uniquingKeysWith: { first, _ in first })
        let expected = source.timeZones.sorted { ($1.latitude, $0.name) < ($0.latitude, $1.name) }
            .prefix(4).map { "\($0.name): \(countries[$0.country] ?? "no country")" }
        try Check.equal("the northernmost zones", lines, Array(expected))
        Console.answer(lines.joined(separator: ", "))
    }
}
