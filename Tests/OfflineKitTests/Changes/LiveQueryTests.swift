// `observe` and `observeChanges` on whole stores: when a result comes, and when none does.
import OfflineBytes
import Testing

@testable import OfflineKit

extension OfflineStore {
    var liveQueries: LiveQueries? { current.withLock { $0?.liveQueries } }

    /// Returns when everybody was told of what is committed.
    func settle() async { await liveQueries?.hub.settled() }
}

extension AsyncThrowingStream where Element: Sendable {
    /// The next element; of a stream that is asked by nobody else.
    fileprivate func first() async throws -> Element? {
        var iterator = makeAsyncIterator()
        return try await iterator.next()
    }
}

extension LiveQuery {
    /// The next result, if there is one now.
    func changed() async throws -> [Document]? {
        try await next(waits: false)?.after.map(\.document)
    }
}

@Suite struct LiveQueryTests {
    private static let schema = [
        CollectionSchema(
            name: "c",
            indexes: [
                IndexSchema(name: "n", keyPath: "n"),
                .fullText(name: "words", keyPaths: ["text"]),
            ],
            relationships: [
                RelationshipSchema(
                    name: "parts", collection: "p", type: .oneToMany, foreignKey: "c")
            ]),
        CollectionSchema(
            name: "p",
            relationships: [
                RelationshipSchema(
                    name: "maker", collection: "m", type: .manyToOne, foreignKey: "m")
            ]), CollectionSchema(name: "m"),
    ]

    /// A query that is followed beside what the store says.
    private struct Watched {
        let store: OfflineStore
        let query: Query
        let live: LiveQuery

        init(_ store: OfflineStore, _ query: Query) {
            self.store = store
            self.query = query
            live = store.liveQuery("c", query)
        }

        /// Whether a result comes now; if so it must be the store's.
        func comes(sourceLocation: SourceLocation = #_sourceLocation) async throws -> Bool {
            await store.settle()
            guard let result = try await live.changed() else { return false }
            let fresh = try await store.query("c", query)
            #expect(result == fresh, sourceLocation: sourceLocation)
            let again = try await live.changed()
            #expect(again == nil, sourceLocation: sourceLocation)
            return true
        }
    }

    @Test(arguments: TestBackend.allCases)
    func `a result comes at first and after each commit that alters it, and only then`(
        backend: TestBackend
    ) async throws {
        try await TestStore.with(backend, Self.schema) { store in
            try await store.create("c", ["id": 1, "n": 1])
            let small = Watched(store, Query(filters: ["n": ["$lt": 10]], sort: [.ascending("n")]))
            #expect(try await small.comes())
            #expect(try await !small.comes())
            try await store.create("c", ["id": 2, "n": 20])
            #expect(try await !small.comes(), "a record that doesn't match")
            try await store.create("c", ["id": 3, "n": 3])
            #expect(try await small.comes(), "a new one that does")
            try await store.update("c", ["id": 3, "n": 3])
            #expect(try await !small.comes(), "the same again")
            try await store.update("c", ["id": 3, "n": 0])
            #expect(try await small.comes(), "another place")
            try await store.update("c", ["id": 3, "n": 0, "new name": true])
            #expect(try await small.comes(), "another field, with a new name")
            try await store.update("c", ["id": 3, "n": 30])
            #expect(try await small.comes(), "it doesn't match any more")
            try await store.delete("c", 3)
            #expect(try await !small.comes(), "it didn't match")
            try await store.delete("c", 1)
            #expect(try await small.comes(), "it did")
            try await store.create("p", ["id": 1, "n": 1])
            #expect(try await !small.comes(), "another collection")
        }
    }

    @Test func `a consumer that sleeps gets the newest state, and nothing where it is the old one`()
        async throws
    {
        try await TestStore.with(.memory, Self.schema) { store in
            let all = Watched(store, Query())
            #expect(try await all.comes())
            for number in 0..<10 as Range<Int64> {
                try await store.create("c", ["id": .int(number)])
            }
            #expect(try await all.comes())
            #expect(try await !all.comes())
            try await store.update("c", ["id": 1, "n": 5])
            try await store.delete("c", 2)
            try await store.create("c", ["id": 2])
            try await store.update("c", ["id": 1])
            #expect(try await !all.comes(), "it came and went")
        }
    }

    @Test func `a transaction is one change, and one that is rolled back none`() async throws {
        try await TestStore.with(.memory, Self.schema) { store in
            let all = Watched(store, Query())
            #expect(try await all.comes())
            let transaction = try await store.beginTransaction(["c"])
            try await transaction.create("c", ["id": 1])
            #expect(try await !all.comes())
            try await transaction.create("c", ["id": 2])
            try await transaction.commit()
            #expect(try await all.comes())
            let dropped = try await store.beginTransaction(["c"])
            try await dropped.create("c", ["id": 3])
            try await dropped.rollback()
            #expect(try await !all.comes())
        }
    }

    @Test func `a page stays full, whatever leaves it`() async throws {
        try await TestStore.with(.memory, Self.schema) { store in
            try await store.createBatch(
                "c", (0..<20).map { ["id": .int($0), "n": .int($0 * 2)] as Document })
            let page = Watched(store, Query(sort: [.descending("n")], limit: 5, offset: 3))
            #expect(try await page.comes())
            try await store.delete("c", 2)
            #expect(try await !page.comes(), "behind it")
            try await store.delete("c", 19)
            #expect(try await page.comes(), "before it")
            try await store.deleteBatch("c", Array(14...18))
            #expect(try await page.comes())
            try await store.create("c", ["id": 50, "n": 50])
            #expect(try await page.comes())
            try await store.update("c", ["id": 50, "n": 0])
            #expect(try await page.comes(), "a move out of it")
            try await store.create("c", ["id": 51, "n": 1])
            #expect(try await !page.comes(), "behind it again")
            let none = Watched(store, Query(limit: 0))
            #expect(try await none.comes())
            try await store.create("c", ["id": 52])
            #expect(try await !none.comes())
        }
    }

    @Test func `what isn't selected doesn't count`() async throws {
        try await TestStore.with(.memory, Self.schema) { store in
            try await store.create("c", ["id": 1, "n": 1, "m": 1])
            let selected = Watched(store, Query(filters: ["m": ["$gt": 0]], select: ["n"]))
            #expect(try await selected.comes())
            try await store.update("c", ["id": 1, "n": 1, "m": 2])
            #expect(try await !selected.comes())
            try await store.update("c", ["id": 1, "n": 2, "m": 2])
            #expect(try await selected.comes())
            try await store.update("c", ["id": 1, "n": 2, "m": 0])
            #expect(try await selected.comes(), "it is filtered by what isn't selected")
        }
    }

    @Test func `included records count, at any depth`() async throws {
        try await TestStore.with(.memory, Self.schema) { store in
            try await store.create("c", ["id": 1])
            try await store.create("m", ["id": 7])
            let parts = Watched(store, Query(include: ["parts.maker"]))
            #expect(try await parts.comes())
            try await store.create("p", ["id": 1, "c": 1, "m": 7])
            #expect(try await parts.comes())
            try await store.update("m", ["id": 7, "name": "x"])
            #expect(try await parts.comes())
            try await store.create("m", ["id": 8])
            #expect(try await !parts.comes(), "nobody's")
            try await store.delete("p", 1)
            #expect(try await parts.comes())
        }
    }

    @Test func `a search is followed, though each record's rank depends on the others`()
        async throws
    {
        try await TestStore.with(.memory, Self.schema) { store in
            try await store.create("c", ["id": 1, "text": "red apple"])
            let search = Watched(store, Query(filters: ["$text": ["$search": "apple red"]]))
            #expect(try await search.comes())
            try await store.create("c", ["id": 2, "text": "red red red apple"])
            #expect(try await search.comes())
            try await store.create("c", ["id": 3, "text": "green pear"])
            #expect(try await !search.comes())
            try await store.delete("c", 1)
            #expect(try await search.comes())
        }
    }

    @Test func `a commit too large to be kept is seen all the same`() async throws {
        try await TestStore.with(.memory, Self.schema) { store in
            let few = Watched(store, Query(filters: ["n": ["$gte": 10_900]]))
            #expect(try await few.comes())
            try await store.createBatch(
                "c", (0..<11_000).map { ["id": .int($0), "n": .int($0)] as Document })
            #expect(try await few.comes())
            // Each commit is kept, but not all that a consumer sleeps over.
            let filler = Value.string(String(repeating: "x", count: 100_000))
            for number in 11_000..<11_030 as Range<Int64> {
                try await store.create("c", ["id": .int(number), "n": .int(number), "f": filler])
            }
            #expect(try await few.comes())
            try await store.delete("c", 11_001)
            #expect(try await few.comes(), "and it is followed again")
        }
    }

    // MARK: Streams

    @Test func `a waiting consumer is woken by the commit, not before`() async throws {
        try await TestStore.with(.memory, Self.schema) { store in
            let counts = Protected<[Int]>([])
            let consumer = Task {
                for try await result in store.observe("c", Query(filters: ["n": 1])) {
                    counts.withLock { $0.append(result.count) }
                    if result.count == 3 { return }
                }
            }
            while counts.withLock({ $0.isEmpty }) { await Task.yield() }
            for number in 1...3 as ClosedRange<Int64> {
                try await store.create("c", ["id": .int(-number), "n": 0])
                try await store.create("c", ["id": .int(number), "n": 1])
                while counts.withLock({ $0.last }) != Int(number) { await Task.yield() }
            }
            try await consumer.value
            #expect(counts.withLock { $0 } == [0, 1, 2, 3])
            #expect(store.liveQueries?.count == 0)
        }
    }

    @Test func `commits between the call and the first result are in it`() async throws {
        try await TestStore.with(.memory, Self.schema) { store in
            let stream = store.observe("c")
            try await store.create("c", ["id": 1])
            var iterator = stream.makeAsyncIterator()
            #expect(try await iterator.next() == [["id": 1]])
        }
    }

    @Test func `differences applied to the last result give the next, the first to nothing`()
        async throws
    {
        try await TestStore.with(.memory, Self.schema) { store in
            try await store.createBatch("c", [["id": 1, "n": 1], ["id": 2, "n": 2]])
            var iterator = store.observeChanges("c", Query(sort: [.ascending("n")]))
                .makeAsyncIterator()
            #expect(
                try await iterator.next() == [
                    .insert(["id": 1, "n": 1], at: 0), .insert(["id": 2, "n": 2], at: 1),
                ])
            try await store.update("c", ["id": 1, "n": 3])
            #expect(
                try await iterator.next() == [
                    .move(["id": 1, "n": 3], from: 0, to: 1), .update(["id": 1, "n": 3], at: 1),
                ])
            try await store.delete("c", 2)
            #expect(try await iterator.next() == [.remove(["id": 2, "n": 2], at: 0)])
            var none = store.observeChanges("c", Query(limit: 0)).makeAsyncIterator()
            #expect(try await none.next() == [])
        }
    }

    @Test func `errors come with the first result asked for, and nothing after them`() async throws
    {
        let place = try TestStore()
        let closed = OfflineStore(place.options(Self.schema))
        let early = closed.observe("c")
        try await closed.initialize()
        await expectError(.notOpen) { _ = try await early.first() }
        #expect(try await early.first() == nil)
        let unknown = closed.observe("x")
        await expectError(.unknownCollection) { _ = try await unknown.first() }
        let wrong = closed.observeChanges("c", Query(filters: ["n": ["$no": 1]]))
        await expectError(.invalidQuery) { _ = try await wrong.first() }
        #expect(try await wrong.first() == nil)
        #expect(closed.liveQueries?.count == 0)
        try await closed.close()
    }

    @Test func `closing ends streams, those that wait and those not begun`() async throws {
        let place = try TestStore()
        let store = try await place.open(Self.schema)
        let late = store.observe("c")
        let hasBegun = Protected(false)
        let waiting = Task {
            var count = 0
            for try await _ in store.observe("c") {
                count += 1
                hasBegun.withLock { $0 = true }
            }
            return count
        }
        while !hasBegun.withLock({ $0 }) { await Task.yield() }
        try await store.close()
        #expect(try await waiting.value == 1)
        var iterator = late.makeAsyncIterator()
        #expect(try await iterator.next() == nil)
        // What is opened again is another store to them.
        try await store.initialize()
        var other = late.makeAsyncIterator()
        #expect(try await other.next() == nil)
        try await store.close()
    }

    @Test func `a cancelled task ends its stream`() async throws {
        try await TestStore.with(.memory, Self.schema) { store in
            let hasBegun = Protected(false)
            let consumer = Task {
                for try await _ in store.observe("c") { hasBegun.withLock { $0 = true } }
            }
            while !hasBegun.withLock({ $0 }) { await Task.yield() }
            #expect(store.liveQueries?.count == 1)
            consumer.cancel()
            try await consumer.value
            #expect(store.liveQueries?.count == 0)
            let before = Task {
                while !Task.isCancelled { await Task.yield() }
                var iterator = store.observe("c").makeAsyncIterator()
                return try await iterator.next()
            }
            before.cancel()
            #expect(try await before.value == nil)
        }
    }

    @Test func `a dropped stream is forgotten`() async throws {
        try await TestStore.with(.memory, Self.schema) { store in
            do {
                var iterators = (0..<20).map { _ in store.observe("c").makeAsyncIterator() }
                for index in iterators.indices { _ = try await iterators[index].next() }
                #expect(store.liveQueries?.count == 20)
                #expect(store.liveQueries?.hub.isObserved == true)
            }
            #expect(store.liveQueries?.count == 0)
            #expect(store.liveQueries?.hub.isObserved == false)
        }
    }

    @Test func `two tasks that share a query get each result once`() async throws {
        try await TestStore.with(.memory, Self.schema) { store in
            let live = store.liveQuery("c", Query())
            let seen = Protected<[Int]>([])
            let tasks = (0..<2).map { _ in
                Task {
                    while let step = try await live.next() {
                        seen.withLock { $0.append(step.after.count) }
                    }
                }
            }
            for count in 0...20 as ClosedRange<Int64> {
                if count > 0 { try await store.create("c", ["id": .int(count)]) }
                while seen.withLock({ $0.last }) != Int(count) { await Task.yield() }
            }
            live.end()
            for task in tasks { try await task.value }
            #expect(seen.withLock { $0 } == Array(0...20))
            #expect(store.liveQueries?.count == 0)
        }
    }

    @Test func `a refresh shows what another process has written`() async throws {
        let place = try TestStore(.log)
        defer { place.remove() }
        let writer = try await place.open(Self.schema)
        try await writer.create("c", ["id": 1])
        let reader = try await place.open([]) { $0.isReadOnly = true }
        let live = reader.liveQuery("c", Query())
        #expect(try await live.changed()?.count == 1)
        try await writer.create("c", ["id": 2])
        #expect(try await live.changed() == nil)
        try await reader.refresh()
        await reader.settle()
        #expect(try await live.changed()?.count == 2)
        try await reader.refresh()
        await reader.settle()
        #expect(try await live.changed() == nil)
        try await reader.close()
        #expect(live.isEnded)
        try await writer.close()
    }

    private struct Item: Codable, Sendable, Equatable {
        var id: Int
        var n: Int
    }

    @Test func `a typed collection is observed as values`() async throws {
        try await TestStore.with(.memory, Self.schema) { store in
            let items = store.collection("c", of: Item.self)
            let observed = items.observe(Query(sort: [.descending("n")]))
            #expect(try await observed.first() == [])
            try await items.create(Item(id: 1, n: 1))
            try await items.create(Item(id: 2, n: 2))
            #expect(try await observed.first()?.last == Item(id: 1, n: 1))
            try await store.create("c", ["id": 3, "n": "no number"])
            await expectError(.invalidDocument) {
                while try await observed.first() != nil {}
            }
            #expect(try await observed.first() == nil)
        }
    }
}
