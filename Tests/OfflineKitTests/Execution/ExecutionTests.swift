// Order, pages, ties and selection of results.
import Foundation
import Testing

@testable import OfflineKit

struct SortingTests {
    private static let instant = Value.date(Date(timeIntervalSinceReferenceDate: 0))

    /// Values of `a` in ascending order; a record each, its key telling its place.
    private static let ascending: [Value?] = [
        [], .null, .double(.nan), .double(-.infinity), -1, 0, 0.5, 1, .int(1 << 53),
        .int((1 << 53) + 1), .double(.infinity), "", "B", "a", "ab", "é", [:], ["x": 1],
        ["x": 1, "y": 0], ["y": 0], [[]], [[1]], [[1, 2]], .data(Data()), .data(Data([0])),
        .data(Data([1])), false, true, instant,
    ]

    private func ids(_ fixture: QueryFixture, _ query: Query) throws -> [Int] {
        try fixture.engine().query("items", query).map { $0["id"]?.intValue ?? -1 }
    }

    @Test(arguments: [true, false]) func `values of all types come in the one order`(
        _ isIndexed: Bool
    ) async throws {
        let indexes = isIndexed ? [IndexSchema(name: "a", keyPath: "a")] : []
        let records = Self.ascending.enumerated().map { index, value -> Document in
            var record: Document = ["id": .int(Int64(index))]
            record["a"] = value
            return record
        }
        let schema = CollectionSchema(name: "items", indexes: indexes)
        let fixture = try await QueryFixture(schema, records.shuffled())
        let expected = Array(Self.ascending.indices)
        #expect(try ids(fixture, Query(sort: [.ascending("a")])) == expected)
        #expect(try ids(fixture, Query(sort: [.descending("a")])) == expected.reversed())
        #expect(try ids(fixture, Query(sort: [.descending("a")], limit: 4)) == [28, 27, 26, 25])
    }

    @Test func `an array sorts by its least element ascending and its greatest descending`()
        async throws
    {
        let records: [Document] = [
            ["id": 1, "a": [5, 1], "b": [1, 7]], ["id": 2, "a": 3, "b": 2],
            ["id": 3, "a": [2, 9], "b": [8]], ["id": 4, "a": [], "b": 0], ["id": 5],
            ["id": 6, "a": ["x", .null], "b": 1],
        ]
        let fixture = try await QueryFixture(CollectionSchema(name: "items"), records)
        #expect(try ids(fixture, Query(sort: [.ascending("a")])) == [4, 5, 6, 1, 3, 2])
        #expect(try ids(fixture, Query(sort: [.descending("a")])) == [6, 3, 1, 2, 5, 4])
        // Two arrays in one record: each field by its own least or greatest.
        let both = Query(sort: [.ascending("b"), .descending("a")])
        #expect(try ids(fixture, both) == [5, 4, 6, 1, 2, 3])
        #expect(try ids(fixture, Query(sort: [.descending("b")])) == [3, 1, 2, 6, 4, 5])
    }

    @Test func `a sort by a path or position takes what a filter by it would`() async throws {
        let records: [Document] = [
            ["id": 1, "a": [["b": 3], ["b": 1]]], ["id": 2, "a": ["b": 2]], ["id": 3, "a": []],
            ["id": 4, "a": [5, 6]], ["id": 5, "a": [["b": []], ["b": 9]]],
        ]
        let fixture = try await QueryFixture(CollectionSchema(name: "items"), records)
        #expect(try ids(fixture, Query(sort: [.ascending("a.b")])) == [5, 3, 4, 1, 2])
        #expect(try ids(fixture, Query(sort: [.descending("a.b")])) == [5, 1, 2, 3, 4])
        #expect(try ids(fixture, Query(sort: [.descending("a.0")])) == [5, 1, 4, 2, 3])
    }

    @Test func `ties come in ascending key order, in every direction and on every page`()
        async throws
    {
        let records: [Document] = (0..<1_100).map { number in
            ["id": .int(Int64(number)), "a": .bool(number < 550), "b": .int(Int64(-number))]
        }
        let indexes = [
            IndexSchema(name: "a", keyPath: "a"), IndexSchema(name: "a_b", keyPaths: ["a", "b"]),
        ]
        let schema = CollectionSchema(name: "items", indexes: indexes)
        let fixture = try await QueryFixture(schema, records.shuffled())
        let view = try fixture.view()
        let down = Array(0..<1_100)
        let up = Array(550..<1_100) + Array(0..<550)
        for access in ["a", "a_b", nil].map(ForcedAccess.init) {
            let engine = QueryEngine(view, forcing: access)
            for (direction, all) in [(Sort.Direction.descending, down), (.ascending, up)] {
                let sort = [Sort(field: "a", direction: direction)]
                for offset in [0, 1, 255, 256, 257, 549, 550, 551, 806, 1_099, 1_100, 9_999] {
                    let query = Query(sort: sort, limit: 3, offset: offset)
                    let found = try engine.query("items", query).map { $0["id"]?.intValue ?? -1 }
                    let expected = Array(all.dropFirst(offset).prefix(3))
                    #expect(found == expected, "\(access) \(direction) \(offset)")
                }
                let found = try engine.query("items", Query(sort: sort))
                #expect(found.map { $0["id"]?.intValue ?? -1 } == all)
            }
        }
    }

    @Test func `ties that several ranges of an index share come in key order`() async throws {
        let records: [Document] = (0..<12).map { number in
            ["id": .int(number), "a": .int(number % 2), "b": .int((11 - number) / 4)]
        }
        let index = IndexSchema(name: "a_b", keyPaths: ["a", "b"])
        let schema = CollectionSchema(name: "items", indexes: [index])
        let fixture = try await QueryFixture(schema, records)
        let filter: Filter = ["a": ["$in": [0, 1]], "b": ["$in": [0, 2]]]
        for access in [ForcedAccess(index: "a_b"), ForcedAccess(index: nil)] {
            let engine = try fixture.engine(forcing: access)
            for (sort, expected) in [
                (Sort.ascending("a"), [0, 2, 8, 10, 1, 3, 9, 11]),
                (Sort.descending("a"), [1, 3, 9, 11, 0, 2, 8, 10]),
            ] {
                let found = try engine.query("items", Query(filters: filter, sort: [sort]))
                #expect(found.map { $0["id"]?.intValue ?? -1 } == expected)
            }
            let both = Query(filters: filter, sort: [.ascending("a"), .ascending("b")])
            let found = try engine.query("items", both).map { $0["id"]?.intValue ?? -1 }
            #expect(found == [8, 10, 0, 2, 9, 11, 1, 3])
        }
    }

    @Test func `values that an index cuts are compared whole`() async throws {
        let stem = String(repeating: "x", count: 2_000)
        let texts = ["b", "a", "c", "a", ""].map { stem + $0 } + ["x", stem + "aa"]
        let records = texts.enumerated().map { index, text -> Document in
            ["id": .int(Int64(index)), "a": .string(text), "b": .int(Int64(9 - index))]
        }
        let indexes = [
            IndexSchema(name: "a", keyPath: "a"), IndexSchema(name: "b_a", keyPaths: ["b", "a"]),
            IndexSchema(name: "a_b", keyPaths: ["a", "b"]),
        ]
        let schema = CollectionSchema(name: "items", indexes: indexes)
        let fixture = try await QueryFixture(schema, records)
        let view = try fixture.view()
        let sorted = [5, 4, 1, 3, 6, 0, 2]
        for name in ["a", "b_a", "a_b", nil] {
            let engine = QueryEngine(view, forcing: ForcedAccess(index: name))
            func ids(_ query: Query) throws -> [Int] {
                try engine.query("items", query).map { $0["id"]?.intValue ?? -1 }
            }
            #expect(try ids(Query(sort: [.ascending("a")])) == sorted)
            #expect(try ids(Query(sort: [.descending("a")])) == [2, 0, 6, 1, 3, 4, 5])
            for offset in 0..<8 {
                let page = Query(sort: [.ascending("a")], limit: 2, offset: offset)
                #expect(try ids(page) == Array(sorted.dropFirst(offset).prefix(2)))
            }
            #expect(try ids(Query(filters: ["a": .string(stem + "a")])) == [1, 3])
            #expect(try ids(Query(filters: ["a": ["$gt": .string(stem + "a")]])) == [0, 2, 6])
            #expect(try ids(Query(filters: ["a": ["$lte": .string(stem + "a")]])) == [1, 3, 4, 5])
            let both: Filter = ["a": ["$in": [.string(stem + "a"), .string(stem + "c"), "x"]]]
            #expect(try ids(Query(filters: both)) == [1, 2, 3, 5])
            #expect(try engine.count("items", both) == 4)
        }
    }

    @Test func `the greatest limit and offset are no trouble`() async throws {
        let schema = CollectionSchema(
            name: "items", indexes: [IndexSchema(name: "a", keyPath: "a")])
        let records: [Document] = (0..<5).map { ["id": .int(Int64($0)), "a": .int(Int64(-$0))] }
        let fixture = try await QueryFixture(schema, records)
        for sort in [[], [Sort.ascending("a")], [.descending("a")], [.ascending("b")]] {
            #expect(try ids(fixture, Query(sort: sort, limit: .max)).count == 5)
            #expect(try ids(fixture, Query(sort: sort, limit: .max, offset: 2)).count == 3)
            #expect(try ids(fixture, Query(sort: sort, limit: .max, offset: .max)).isEmpty)
            #expect(try ids(fixture, Query(sort: sort, offset: .max)).isEmpty)
            #expect(try ids(fixture, Query(sort: sort, limit: 0)).isEmpty)
        }
    }
}

struct CompoundKeyTests {
    private static let schema = CollectionSchema(name: "grades", keyPaths: ["course", "student"])

    private func fixture() async throws -> QueryFixture {
        var records: [Document] = []
        for course in ["art", "music"] {
            for student in 0..<4 {
                records.append([
                    "course": .string(course), "student": .int(Int64(student)),
                    "grade": .int(Int64(student % 2)),
                ])
            }
        }
        return try await QueryFixture(Self.schema, records.shuffled())
    }

    @Test func `leading parts of the key bound it, and order it`() async throws {
        let engine = try await fixture().engine()
        func names(_ query: Query) throws -> [String] {
            try engine.query("grades", query).map {
                "\($0["course"]?.stringValue ?? "")\($0["student"]?.intValue ?? -1)"
            }
        }
        let one = Query(filters: ["course": "art"])
        #expect(try names(one) == ["art0", "art1", "art2", "art3"])
        #expect(try engine.explain("grades", one, analyze: true).examinedRecords == 4)
        let point = Query(filters: ["course": "music", "student": ["$in": [3, 1, 8]]])
        #expect(try names(point) == ["music1", "music3"])
        #expect(try engine.explain("grades", point, analyze: true).examinedRecords == 2)
        let range = Query(filters: ["course": "art", "student": ["$gt": 1]])
        #expect(try names(range) == ["art2", "art3"])
        #expect(try engine.count("grades", range.filters) == 2)
        let down = Query(sort: [.descending("course")], limit: 5)
        #expect(try names(down) == ["music0", "music1", "music2", "music3", "art0"])
        #expect(try engine.explain("grades", down, analyze: false).sortedByIndex)
        let both = Query(
            sort: [.descending("course"), .descending("student")], limit: 3, offset: 3)
        #expect(try names(both) == ["music0", "art3", "art2"])
        #expect(try engine.get("grades", ["art", 2], include: [])?["grade"] == 0)
    }
}

struct SelectionTests {
    @Test func `select keeps the paths and the key, in the record's shape`() async throws {
        let records: [Document] = [
            ["name": "Ada", "id": 1, "addr": ["city": "Ulm", "zip": 7], "age": 3],
            ["id": 2, "addr": [:]], ["id": 3, "addr": "none"],
            ["id": 4, "addr": [["city": 1], 5]],
        ]
        let fixture = try await QueryFixture(CollectionSchema(name: "people"), records)
        let query = Query(select: ["addr.city", "name"])
        let expected: [Document] = [
            ["name": "Ada", "id": 1, "addr": ["city": "Ulm"]], ["id": 2, "addr": [:]], ["id": 3],
            ["id": 4, "addr": [["city": 1]]],
        ]
        let found = try fixture.engine().query("people", query)
        #expect(found == expected)
        #expect(found.map { $0.json() } == expected.map { $0.json() })
        #expect(try fixture.engine().query("people", Query(limit: 1, select: [])) == [["id": 1]])
    }
}
