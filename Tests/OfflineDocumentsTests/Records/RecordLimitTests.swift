import Foundation
import OfflineBytes
import Testing

@testable import OfflineDocuments

/// 16 MiB and 100 levels, and what is said beyond them.
struct RecordLimitTests {
    /// `levels` objects within each other, or arrays.
    static func nested(_ levels: Int, arrays: Bool = false) -> Document {
        var value: Value = arrays ? .array([]) : .object(Document())
        for _ in 2..<levels { value = arrays ? .array([value]) : .object(["a": value]) }
        return ["a": value]
    }

    @Test(arguments: [false, true])
    func `100 levels are a record, 101 are not`(arrays: Bool) throws {
        let record = try TestRecord(Self.nested(100, arrays: arrays))
        #expect(record.document == Self.nested(100, arrays: arrays))
        let error = #expect(throws: OfflineError.self) {
            _ = try TestRecord(Self.nested(101, arrays: arrays))
        }
        #expect(error?.code == .invalidDocument)
        #expect(error?.message.contains("100 levels") == true)
        #expect(error?.message.contains(arrays ? "'a.0.0." : "'a.a.a.") == true)
    }

    @Test
    func `a stored object is too deep where it comes to lie too deep`() throws {
        let record = try TestRecord(Self.nested(60))
        var encoder = RecordEncoder(dictionary: record.names)
        func wrapped(_ levels: Int) -> Document {
            var value = Value.object(record.document)
            for _ in 0..<levels { value = ["a": value] }
            return ["b": value]
        }
        _ = try TestRecord(wrapped(39), &encoder)
        let error = #expect(throws: OfflineError.self) { _ = try encoder.encode(wrapped(40)) }
        #expect(error?.code == .invalidDocument)

        // The same where a field of the stored object was changed, and where its names are others.
        var changed = record.document
        changed["x"] = 1
        #expect(throws: OfflineError.self) {
            var value = Value.object(changed)
            for _ in 0..<40 { value = ["a": value] }
            _ = try encoder.encode(["b": value])
        }
        var other = RecordEncoder(dictionary: NameDictionary(["b"]))
        _ = try TestRecord(wrapped(39), &other)
        #expect(throws: OfflineError.self) { _ = try other.encode(wrapped(40)) }
    }

    @Test
    func `a record of 16 MiB is a record, one byte more is not`() throws {
        // Format, tag, count, id, end and the data's tag.
        let overhead = 1 + 1 + 4 + 2 + 4 + 1
        let data = Data(count: RecordLimits.byteCountMax - overhead)
        let record = try TestRecord(["a": .data(data)])
        #expect(record.bytes.count == RecordLimits.byteCountMax)
        let error = #expect(throws: OfflineError.self) {
            _ = try TestRecord(["a": .data(data + [0])])
        }
        #expect(error?.code == .invalidDocument)
        #expect(error?.message.contains("16777216 bytes") == true)
        #expect(error?.message.contains("'a'") == true)
    }

    @Test
    func `what is too large is refused wherever it is`() throws {
        let chunk = Value.data(Data(count: 1 << 20))
        let tooLarge: [Document] = [
            ["a": ["b": .array(Array(repeating: chunk, count: 16))]],
            ["a": .array(Array(repeating: .null, count: 9 << 20))],
            Document(fields: (0..<17).map { ("f\($0)", chunk) }),
            [String(repeating: "n", count: 17 << 20): 1],
        ]
        for document in tooLarge {
            var encoder = RecordEncoder(dictionary: NameDictionary(["x"]))
            let error = #expect(throws: OfflineError.self) { _ = try encoder.encode(document) }
            #expect(error?.code == .invalidDocument)
            #expect(encoder.newNames.isEmpty)
            #expect(encoder.dictionary.names == ["x"])
            // The encoder is as good as new.
            let record = try TestRecord(["y": 1], &encoder)
            #expect(record.document == ["y": 1])
        }
    }
}
