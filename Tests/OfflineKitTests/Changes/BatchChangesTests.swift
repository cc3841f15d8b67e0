import OfflineBytes
import Testing

@testable import OfflineKit

@Suite struct BatchChangesTests {
    private static let collection = CollectionID(7)

    private static func names() throws -> BoundNames {
        try BoundNames(
            .empty,
            of: CollectionState(
                id: collection, schema: CollectionSchema(name: "c"), indexNumbers: []))
    }

    private func taken(_ changes: BatchChanges) throws -> [CollectionID: CommittedChanges] {
        let names = try Self.names()
        return changes.take { _ in names }
    }

    @Test func `the last state of a record counts, and what was there before the first`() throws {
        let changes = BatchChanges()
        for number in UInt64(0)..<50 {
            let key = [UInt8(number % 10)]
            changes.note(
                Self.collection, key: key, record: number % 20 < 10 ? [UInt8(number)] : nil,
                existed: number >= 10 || number % 2 == 0, number: number)
        }
        let records = try #require(try taken(changes)[Self.collection]?.records)
        #expect(records.map(\.key) == (0..<10).map { [UInt8($0)] })
        #expect(records.map(\.record) == (40..<50).map { [UInt8($0)] })
        #expect(records.map(\.number) == Array(40..<50))
        #expect(records.map(\.existed) == (0..<10).map { $0 % 2 == 0 })
        #expect(try taken(changes).isEmpty, "it is taken once")
    }

    @Test func `a record that comes and goes leaves nothing, nor does its collection`() throws {
        let changes = BatchChanges()
        changes.note(Self.collection, key: [1], record: [1], existed: false, number: 0)
        changes.note(Self.collection, key: [1], record: nil, existed: true, number: 1)
        #expect(try taken(changes).isEmpty)
        changes.note(Self.collection, key: [2], record: nil, existed: true, number: 2)
        #expect(try taken(changes)[Self.collection]?.records?.count == 1)
    }

    @Test(arguments: [
        (BatchChanges.Bound(records: 9), 9, true), (BatchChanges.Bound(records: 9), 10, false),
        (BatchChanges.Bound(bytes: 30), 10, true), (BatchChanges.Bound(bytes: 29), 10, false),
    ])
    func `beyond the bound it holds the collections alone`(
        bound: BatchChanges.Bound, count: Int, isKept: Bool
    ) throws {
        let changes = BatchChanges(bound: bound)
        for number in 0..<count {
            changes.note(
                CollectionID(UInt32(number % 2)), key: [UInt8(number)], record: [0, 0],
                existed: false, number: UInt64(number))
        }
        let taken = try taken(changes)
        #expect(taken.count == 2)
        #expect(taken.values.allSatisfy { ($0.records != nil) == isKept })
    }

    @Test func `a record that is rewritten takes its room once`() throws {
        let changes = BatchChanges(bound: BatchChanges.Bound(records: 1, bytes: 11))
        for number in UInt64(0)..<100 {
            changes.note(
                Self.collection, key: [1],
                record: Array(repeating: 0, count: number % 2 == 0 ? 10 : 3), existed: true,
                number: number)
        }
        #expect(try taken(changes)[Self.collection]?.records?.count == 1)
    }

    @Test func `what nobody wants isn't kept`() throws {
        let changes = BatchChanges(isWanted: false)
        changes.note(Self.collection, key: [1], record: [1], existed: false, number: 0)
        let taken = try taken(changes)
        #expect(taken.count == 1 && taken[Self.collection]?.records == nil)
    }
}
