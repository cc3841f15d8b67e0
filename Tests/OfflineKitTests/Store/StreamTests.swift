// `stream`: the same records as a query, in bounded memory, in one state, and gone when nobody wants them.
import OfflineBytes
import Testing

@testable import OfflineKit

@Suite struct StreamTests {
    private static let schema = [
        CollectionSchema(
            name: "c", indexes: [IndexSchema(name: "n", keyPath: "n")],
            relationships: [
                RelationshipSchema(
                    name: "next", collection: "c", type: .manyToOne, foreignKey: "n")
            ])
    ]

    private func fill(_ store: OfflineStore, _ count: Int) async throws {
        try await store.createBatch(
            "c",
            (0..<Int64(count)).map { number -> Document in
                ["id": .int(number), "n": .int(number * 7 % 13), "m": .int(number * 5 % 11)]
            })
    }

    private func all(_ stream: AsyncThrowingStream<Document, any Error>) async throws -> [Document]
    {
        var documents: [Document] = []
        for try await document in stream { documents.append(document) }
        return documents
    }

    private static let queries: [Query] = [
        Query(), Query(sort: [.descending("id")]), Query(sort: [.ascending("n")]),
        Query(sort: [.descending("n")]), Query(sort: [.ascending("m")]),
        Query(filters: ["n": ["$gte": 5]]), Query(filters: ["n": 3]),
        Query(filters: ["m": 4], sort: [.descending("n")]),
        Query(filters: ["m": ["$gt": 2]], limit: 150, offset: 70),
        Query(sort: [.ascending("n")], limit: 130, offset: 64), Query(limit: 64), Query(limit: 0),
        Query(sort: [.descending("m")], limit: 129, offset: 1), Query(offset: 1_000),
        Query(filters: ["m": 1], include: ["next"], select: ["n"]),
    ]

    @Test(arguments: TestBackend.allCases)
    func `it gives what the query gives, in a store, a snapshot, a transaction`(
        backend: TestBackend
    ) async throws {
        try await TestStore.with(backend, Self.schema) { store in
            try await fill(store, 500)
            let snapshot = try await store.snapshot()
            for query in Self.queries {
                let expected = try await store.query("c", query)
                #expect(try await all(store.stream("c", query)) == expected, "\(query)")
                #expect(try await all(snapshot.stream("c", query)) == expected, "\(query)")
                try await store.transaction(["c"]) { transaction in
                    let found = try await all(transaction.stream("c", query))
                    #expect(found == expected, "\(query)")
                }
            }
            snapshot.close()
        }
    }

    @Test func `random queries give the same as a stream, whatever index serves them`() async throws
    {
        for seed in UInt64(1)...40 {
            var generator = QueryGenerator(seed: seed)
            let records = generator.records(150, keyPaths: ["id"])
            let schema = CollectionSchema(
                name: "c",
                indexes: [
                    IndexSchema(name: "a", keyPath: "a"),
                    IndexSchema(name: "b", keyPaths: ["b", "a"]),
                ])
            let view = try await QueryFixture(schema, records).view()
            for _ in 0..<10 {
                let query = generator.query(records, ["id"])
                let expected = try view.query("c", query)
                for isFixed in [true, false] {
                    var pages = QueryPages("c", query, isFixed: isFixed)
                    var found: [Document] = []
                    while case let page = try pages.next(view), !page.isEmpty {
                        #expect(page.count <= 64)
                        found += page
                    }
                    #expect(found == expected, "seed \(seed), fixed \(isFixed): \(query)")
                }
            }
        }
    }

    @Test(arguments: TestBackend.allCases, [Query(), Query(sort: [.ascending("m")])])
    func `it shows the state at its beginning, whatever is written meanwhile`(
        backend: TestBackend, query: Query
    ) async throws {
        try await TestStore.with(backend, Self.schema) { store in
            try await fill(store, 300)
            let expected = try await store.query("c", query)
            let stream = store.stream("c", query)
            var found: [Document] = []
            for try await document in stream {
                found.append(document)
                if found.count % 10 == 1 {
                    let id = Int64(found.count)
                    try await store.delete("c", .int(id))
                    try await store.upsert("c", ["id": .int(id + 299), "m": -1])
                }
            }
            #expect(found == expected)
        }
    }

    @Test func `in a transaction it shows records as they are when they are read`() async throws {
        try await TestStore.with(.memory, Self.schema) { store in
            try await fill(store, 200)
            try await store.transaction(["c"]) { transaction in
                var found: [Document] = []
                for try await document in transaction.stream("c") {
                    if found.isEmpty {
                        try await transaction.delete("c", 150)
                        try await transaction.update("c", ["id": 151, "new": true])
                        try await transaction.create("c", ["id": 1_000])
                    }
                    found.append(document)
                }
                #expect(found.count == 199)
                #expect(found[150] == ["id": 151, "new": true])
            }
        }
    }

    // MARK: How much is read, and how long it is held

    private func counted(
        _ count: Int
    ) async throws -> (view: ReadView, reader: CountingReader) {
        let records = (0..<count).map { number -> Document in
            ["id": .int(Int64(number)), "n": .int(Int64(number / 2)), "m": 1]
        }
        let fixture = try await QueryFixture(Self.schema[0], records)
        let snapshot = try fixture.backend.snapshot()
        let reader = CountingReader(snapshot)
        return (ReadView(snapshot: reader, schema: try SchemaState(stored: snapshot)), reader)
    }

    @Test(arguments: [
        Query(), Query(sort: [.ascending("n")]), Query(sort: [.descending("n")], offset: 900),
        Query(filters: ["m": 1], sort: [.descending("id")]),
    ])
    func `a page reads no more than it gives, wherever it is`(query: Query) async throws {
        let (view, reader) = try await counted(2_000)
        var pages = QueryPages("c", query, isFixed: true)
        for _ in 0..<16 {
            reader.reset()
            #expect(try pages.next(view).count == 64)
            #expect(reader.counts.steps + reader.counts.lookups < 64 * 2 + 16)
        }
    }

    @Test func `large records make small pages`() async throws {
        let records = (0..<10).map { number -> Document in
            ["id": .int(Int64(number)), "text": .string(String(repeating: "x", count: 600_000))]
        }
        let view = try await QueryFixture(Self.schema[0], records).view()
        var pages = QueryPages("c", Query(), isFixed: true)
        #expect(try pages.next(view).count == 2)
        pages = QueryPages("c", Query(sort: [.descending("m")]), isFixed: true)
        #expect(try pages.next(view).count == 2)
    }

    private final class Token: Sendable {}

    /// A stream that holds a token as it holds its view, and a weak reference to it.
    private func held(
        _ query: Query = Query()
    ) async throws -> (AsyncThrowingStream<Document, any Error>, @Sendable () -> Bool) {
        let (view, _) = try await counted(300)
        let token = Token()
        let isHeld = { @Sendable [weak token] in token != nil }
        let stream = QueryFeed.stream("c", query, isFixed: true) { [token] pages in
            _ = token
            return try pages.next(view)
        }
        return (stream, isHeld)
    }

    @Test func `what it reads from is let go of at its end, and when it is left early`()
        async throws
    {
        do {
            let (stream, isHeld) = try await held()
            var iterator = stream.makeAsyncIterator()
            for _ in 0..<300 { #expect(try await iterator.next() != nil) }
            #expect(isHeld())
            #expect(try await iterator.next() == nil)
            #expect(!isHeld())
            #expect(try await iterator.next() == nil)
        }
        do {
            let (stream, isHeld) = try await held(Query(filters: ["m": ["$near": 1]]))
            await expectError(.invalidQuery) { _ = try await all(stream) }
            #expect(!isHeld())
            #expect(try await all(stream) == [])
        }
        let isHeld = try await leaveEarly()
        #expect(!isHeld())
    }

    private func leaveEarly() async throws -> @Sendable () -> Bool {
        let (stream, isHeld) = try await held()
        for try await _ in stream {
            #expect(isHeld())
            break
        }
        return isHeld
    }

    @Test func `it ends when its task is cancelled`() async throws {
        let (stream, isHeld) = try await held()
        let task = Task {
            var count = 0
            do {
                for try await _ in stream {
                    count += 1
                    if count == 100 { unsafe withUnsafeCurrentTask { unsafe $0?.cancel() } }
                }
            } catch is CancellationError {}
            return count
        }
        #expect(try await task.value <= 128)
        #expect(!isHeld())
    }

    @Test func `a long query notices that its task is cancelled`() async throws {
        let (view, reader) = try await counted(2_000)
        let works: [@Sendable () throws -> Void] = [
            { _ = try view.query("c", Query(filters: ["m": 2])) },
            { _ = try view.count("c", ["m": 2]) },
            { _ = try view.query("c", Query(sort: [.ascending("n")])) },
            { _ = try view.query("c", Query(filters: ["n": ["$gte": 0]])) },
            { _ = try view.distinct("c", "m", .all) },
            { _ = try view.aggregate("c", Aggregation(measures: ["s": .sum("n")])) },
            { _ = try view.get("c", 1, include: ["next"]) },
        ]
        for (number, work) in works.enumerated() {
            reader.reset()
            let task = Task {
                unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
                try work()
            }
            // The last one is too short to be worth a look.
            let isLong = number < works.count - 1
            switch await task.result {
            case .success: #expect(!isLong, "\(number)")
            case .failure(let error): #expect(error is CancellationError, "\(number)")
            }
            #expect(reader.counts.steps + reader.counts.lookups < 800, "\(number)")
        }
    }

    // MARK: Mistakes

    @Test func `a long match in one record notices that its task is cancelled`() async throws {
        let schema = CollectionSchema(
            name: "c",
            relationships: [
                RelationshipSchema(
                    name: "others", collection: "c", type: .oneToMany, foreignKey: "of")
            ])
        var random = QueryRandom(seed: 1)
        let text = String(
            decoding: (0..<3_000).map { _ in random.pick([97, 98]) as UInt8 }, as: UTF8.self)
        let view = try await QueryFixture(
            schema, [["id": 1, "of": 1, "text": .string(text + "c")]]
        )
        .view()
        let long: Filter = ["text": ["$regex": "a[ab]{1000}[ab]{500}c\\b$"]]
        let queries = [
            Query(filters: long), Query(filters: ["$nor": [.object(long.document)]]),
            Query(include: [Include("others", filters: long)]),
        ]
        for query in queries {
            let task = Task {
                unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
                return try view.query("c", query)
            }
            await #expect(throws: CancellationError.self, "\(query)") { try await task.value }
            #expect(try view.query("c", query).count <= 1)
        }
    }

    @Test func `errors come with the first document`() async throws {
        let place = try TestStore(.memory)
        defer { place.remove() }
        let store = try await place.open(Self.schema)
        await expectError(.unknownCollection) { _ = try await all(store.stream("nothing")) }
        await expectError(.invalidQuery) {
            _ = try await all(store.stream("c", Query(limit: -1)))
        }
        let snapshot = try await store.snapshot()
        let ofSnapshot = snapshot.stream("c")
        snapshot.close()
        await expectError(.notOpen) { _ = try await all(ofSnapshot) }
        let transaction = try await store.beginTransaction(["c"])
        let ofTransaction = transaction.stream("c")
        try await transaction.rollback()
        await expectError(.transactionClosed) { _ = try await all(ofTransaction) }
        try await store.close()
        await expectError(.notOpen) { _ = try await all(store.stream("c")) }
    }
}
