import Foundation
import OfflineBytes
import Testing

@testable import OfflineDocuments

/// Documents through record bytes and back.
struct RecordCodingTests {
    @Test(arguments: 1...4)
    func `what was encoded is read back, kinds, bits and order of fields included`(
        seed: UInt64
    ) throws {
        var random = SeededGenerator(seed: seed)
        var encoder = RecordEncoder(dictionary: .empty)
        for step in 0..<500 {
            let document = random.document(depth: 4)
            let record = try TestRecord(document, &encoder)
            #expect(
                record.document.isIdentical(to: document), "seed \(seed), step \(step)")
            #expect(record.document.count == document.count, "seed \(seed), step \(step)")
            for (name, value) in document {
                let read = try #require(record.document[name], "seed \(seed), step \(step)")
                #expect(read.isIdentical(to: value), "seed \(seed), step \(step)")
            }
        }
    }

    @Test
    func `records of an older dictionary are read with any newer one`() throws {
        var encoder = RecordEncoder(dictionary: .empty)
        let old = try TestRecord(["a": 1, "b": ["c": 2]], &encoder)
        let new = try TestRecord(["z": 1, "c": 3, "a": 2], &encoder)
        #expect(encoder.newNames == ["a", "b", "c", "z"])
        let document = Document(record: old.bytes, names: new.names)
        #expect(document == ["a": 1, "b": ["c": 2]])
    }

    @Test
    func `an encoder goes on where the dictionary ends`() throws {
        var first = RecordEncoder(dictionary: NameDictionary(["a", "b"]))
        #expect(first.dictionary.names == ["a", "b"])
        _ = try first.encode(["b": 1, "c": 2])
        #expect(first.newNames == ["c"])
        let grown = first.dictionary
        #expect(grown.names == ["a", "b", "c"])
        var second = RecordEncoder(dictionary: grown)
        _ = try second.encode(["c": 1])
        #expect(second.newNames.isEmpty)
        #expect(second.dictionary === grown)
    }

    @Test
    func `the order of fields costs bytes only where it differs from the dictionary's`() throws {
        let names = NameDictionary(["a", "b", "c"])
        let sorted = try TestRecord(["a": 1, "c": 2], dictionary: names)
        let unsorted = try TestRecord(["c": 2, "a": 1], dictionary: names)
        #expect(unsorted.bytes.count == sorted.bytes.count + 2)
        #expect(unsorted.document.fieldNames == ["c", "a"])
        #expect(sorted.document == unsorted.document)
    }

    @Test
    func `a record's bytes are as the layout draws them`() throws {
        let document: Document = ["b": [true, -2], "a": "hé"]
        let record = try TestRecord(document, dictionary: NameDictionary(["a", "b"]))
        let expected: [UInt8] =
            [
                0x01,  // format
                0x22, 2, 0, 0, 0, 1, 0,  // object with an order, two fields, ids 0 and 1
                4, 0, 14, 0,  // ends
                1, 0,  // order: "b", then "a"
                0x06, 0x68, 0xC3, 0xA9,  // "hé"
                0x10, 2, 0, 1, 0, 3, 0,  // array of two, ends
                0x02, 0x03, 0xFE,  // true, -2
            ]
        #expect(record.bytes == expected)
    }

    @Test(arguments: [
        (0, 1), (127, 1), (-128, 1), (128, 2), (-129, 2), (32767, 2), (32768, 4), (-32769, 4),
        (2_147_483_647, 4), (2_147_483_648, 8), (Int64.max, 8), (Int64.min, 8),
    ])
    func `an int takes the fewest bytes`(value: Int64, length: Int) throws {
        let record = try TestRecord(["n": .int(value)])
        // Format, tag, count, id, end, the int's tag.
        #expect(record.bytes.count == 1 + 1 + 2 + 2 + 2 + 1 + length)
        #expect(record.document["n"] == .int(value))
    }

    @Test
    func `every bit of doubles and dates is kept`() throws {
        let bits: [UInt64] = [
            0x8000_0000_0000_0000, 0x7FF8_0000_0000_0001, 0xFFF8_0000_0000_0000, 1, 0x7FF0 << 48,
        ]
        for bits in bits {
            let double = Double(bitPattern: bits)
            let date = Date(timeIntervalSinceReferenceDate: double)
            let document = try TestRecord(["d": .double(double), "t": .date(date)]).document
            #expect(document["d"]?.doubleValue?.bitPattern == bits)
            let read = document["t"]?.dateValue?.timeIntervalSinceReferenceDate
            #expect(read?.bitPattern == bits)
        }
    }

    @Test
    func `an object of more than 65,535 bytes is found again field by field`() throws {
        var random = SeededGenerator(seed: 5)
        for size in [65_400, 65_500, 65_534, 65_535, 65_536, 65_537, 70_000, 200_000] {
            // The big value first, last and in the middle, in and out of dictionary order.
            for order in [["a", "b", "c"], ["b", "a", "c"], ["c", "b", "a"]] {
                let big = String(repeating: random.pick(["x", "é"]), count: size)
                let document = Document(
                    fields: order.map { ($0, $0 == "b" ? .string(big) : ["n": 1, "l": [1, 2]]) })
                let names = NameDictionary(["a", "b", "c"])
                let record = try TestRecord(document, dictionary: names)
                #expect(record.document.isIdentical(to: document), "\(size) \(order)")
                #expect(record.document["c"] == ["n": 1, "l": [1, 2]], "\(size) \(order)")
            }
        }
    }

    @Test
    func `arrays of any length are read by position`() throws {
        for count in [0, 1, 255, 256, 257, 20_000, 32_767, 32_768, 65_535, 65_536, 100_000] {
            let elements = (0..<count).map { Value.int(Int64($0 & 0x3F)) }
            let record = try TestRecord(["list": .array(elements)])
            unsafe record.withRoot { root in
                let list = unsafe root.field(FieldName("list", in: record.names))
                #expect(unsafe list?.count == count)
                guard count > 0, let list = unsafe list else { return }
                for index in Set([0, count / 2, count - 1]) {
                    #expect(unsafe list.element(index).int == Int64(index & 0x3F))
                }
            }
            #expect(record.document["list"] == .array(elements))
        }
    }
}
