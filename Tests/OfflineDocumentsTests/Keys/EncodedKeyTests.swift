import Foundation
import OfflineBytes
import Testing

@testable import OfflineDocuments

@Suite struct EncodedKeyTests {
    /// A dictionary that takes no more names, so that records have theirs inline.
    private static let full = NameDictionary((0..<NameDictionary.countMax).map { "name \($0)" })

    private func expectSameKey(
        _ value: Value, _ dictionary: NameDictionary, _ place: Comment
    ) throws {
        let record = try TestRecord(["value": value], dictionary: dictionary)
        let name = FieldName("value", in: record.names)
        try unsafe record.withRoot { root in
            let field = try unsafe #require(root.field(name))
            var key: [UInt8] = [7]
            unsafe KeyEncoder.append(field, record.names, to: &key)
            #expect(key == [7] + KeyEncoder.key(value), place)
        }
        let stored = try #require(record.document["value"])
        #expect(KeyEncoder.key(stored) == KeyEncoder.key(value), place)
    }

    @Test func `an encoded value's key is the value's`() throws {
        for value in KeyOrderTests.ascending {
            try expectSameKey(value, .empty, "\(value)")
            try expectSameKey(value, Self.full, "\(value)")
        }
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `an encoded value's key is the value's, whatever the value`(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        // Ids that are in no order of names.
        let known = NameDictionary(["z", "a", "", "é", "b"])
        for step in 0..<500 {
            let value = random.value(depth: 4)
            try expectSameKey(value, known, "seed \(seed), step \(step): \(value)")
            try expectSameKey(value, Self.full, "seed \(seed), step \(step): \(value)")
        }
    }
}
