import Foundation
import OfflineBytes
import Testing

@testable import OfflineDocuments

/// Arbitrary bytes: refused, or read throughout without leaving them.
///
/// Each record is put at the very end of a memory block of its own, so that a sanitizer sees a read beyond it.
struct DamagedRecordTests {
    /// Validates the bytes; what passes is read in every way there is. Returns whether they passed.
    private func exercise(_ bytes: [UInt8], _ names: NameDictionary) -> Bool {
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        defer { unsafe block.deallocate() }
        unsafe block.copyBytes(from: bytes)
        let record = UnsafeRawBufferPointer(block)
        do throws(OfflineError) {
            try unsafe RecordValidator.validate(record, nameCount: names.count)
        } catch {
            #expect(error.code == .corrupted)
            return false
        }
        let view = unsafe RecordView(record, names: names)
        let root = unsafe view.root
        unsafe traverse(root, names)
        let document = unsafe Document(copying: view)
        _ = document.built
        for name in document.fieldNames { _ = document[name] }
        _ = document["absent"]
        _ = document.hashValue
        #expect(unsafe EncodedValue.order(root, names, root, NameDictionary(names.names)) == 0)
        return true
    }

    private func traverse(_ value: EncodedValue, _ names: NameDictionary) {
        unsafe _ = (value.int, value.double, value.dateSeconds, value.bool, value.kind)
        switch unsafe value.kind {
        case .string: unsafe _ = value.string
        case .data: unsafe _ = [UInt8](value.bytes)
        case .array:
            for index in 0..<(unsafe value.count) { unsafe traverse(value.element(index), names) }
        case .object:
            unsafe value.forEachField { field in
                _ = unsafe value.field(FieldName(field.name(names), in: names))
                unsafe traverse(field.value, names)
                return true
            }
        default: break
        }
    }

    private func records(_ random: inout SeededGenerator) throws -> [TestRecord] {
        let names = NameDictionary(["a", "b", "\0", "é"])
        var records: [TestRecord] = []
        for _ in 0..<40 {
            var encoder = RecordEncoder(dictionary: random.chance(1, in: 2) ? names : .empty)
            records.append(try TestRecord(random.document(depth: 3), &encoder))
        }
        let long = String(repeating: "n", count: 70)
        records.append(try TestRecord([long: 1, "b": [1, "x"], long + "a": ["a": .null]]))
        let wide: Value = [.data(Data(count: 66_000)), "x"]
        records.append(try TestRecord(["b": wide, "a": 1, long: 2], dictionary: names))
        return records
    }

    @Test(arguments: 1...4)
    func `no byte that is changed makes a record trap`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var passed = 0
        for record in try records(&random) {
            for _ in 0..<60 {
                var bytes = record.bytes
                for _ in 0...random.below(3) {
                    // The header, where numbers are, more often than the rest.
                    let index = random.below(
                        random.chance(1, in: 2) ? min(40, bytes.count) : bytes.count)
                    bytes[index] = random.pick([
                        0, 1, 2, 0x10, 0x20, 0x7F, 0x80, 0xFF, bytes[index] &+ 1,
                        bytes[index] &- 1, bytes[index] ^ (1 << random.below(8)),
                    ])
                }
                if exercise(bytes, record.names) { passed += 1 }
            }
        }
        #expect(passed > 0, "seed \(seed): some changed records should be well-formed")
    }

    @Test
    func `a record that is cut or goes on is refused`() throws {
        var random = SeededGenerator(seed: 21)
        for record in try records(&random) where record.bytes.count < 1000 {
            for length in 0..<record.bytes.count {
                _ = exercise(Array(record.bytes[..<length]), record.names)
            }
            #expect(!exercise(Array(record.bytes.dropLast()), record.names))
            #expect(!exercise(record.bytes + [0], record.names))
        }
    }

    @Test
    func `random bytes don't trap`() {
        var random = SeededGenerator(seed: 22)
        let names = NameDictionary(["a", "b", "c"])
        for _ in 0..<20_000 {
            var bytes: [UInt8] = [0x01, 0x20 + UInt8(random.below(4))]
            for _ in 0..<random.below(40) {
                bytes.append(
                    random.pick([0, 1, 2, 3, 6, 0x10, 0x20, 0xFF, UInt8(random.below(256))]))
            }
            _ = exercise(bytes, names)
        }
    }

    @Test
    func `a record with an id that the dictionary doesn't have is refused`() throws {
        let record = try TestRecord(["a": 1, "b": 2])
        #expect(exercise(record.bytes, record.names))
        #expect(!exercise(record.bytes, NameDictionary(["a"])))
    }

    @Test(
        arguments: [
            ("empty", []),
            ("no object", [0x01]),
            ("an unknown format", [0x02, 0x20, 0, 0]),
            ("an array", [0x01, 0x10, 0, 0]),
            ("a count without fields", [0x01, 0x20, 1, 0]),
            ("bytes behind an empty object", [0x01, 0x20, 0, 0, 0]),
            ("a wide object of few bytes", [0x01, 0x21, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0x00]),
            ("an unknown tag", [0x01, 0x20, 1, 0, 0, 0, 1, 0, 0x08]),
            ("an empty value", [0x01, 0x20, 1, 0, 0, 0, 0, 0]),
            ("null with a payload", [0x01, 0x20, 1, 0, 0, 0, 2, 0, 0x00, 0x00]),
            ("an int of three bytes", [0x01, 0x20, 1, 0, 0, 0, 4, 0, 0x03, 1, 1, 1]),
            ("an int longer than need be", [0x01, 0x20, 1, 0, 0, 0, 3, 0, 0x03, 1, 0]),
            ("a short double", [0x01, 0x20, 1, 0, 0, 0, 5, 0, 0x04, 0, 0, 0, 0]),
            ("text that is no UTF-8", [0x01, 0x20, 1, 0, 0, 0, 2, 0, 0x06, 0xFF]),
            ("a surrogate in text", [0x01, 0x20, 1, 0, 0, 0, 4, 0, 0x06, 0xED, 0xA0, 0x80]),
            ("an overlong zero in text", [0x01, 0x20, 1, 0, 0, 0, 3, 0, 0x06, 0xC0, 0x80]),
            ("text cut within a character", [0x01, 0x20, 1, 0, 0, 0, 3, 0, 0x06, 0x61, 0xC3]),
            ("ids out of order", [0x01, 0x20, 2, 0, 1, 0, 0, 0, 1, 0, 2, 0, 0, 0]),
            ("an id twice", [0x01, 0x20, 2, 0, 0, 0, 0, 0, 1, 0, 2, 0, 0, 0]),
            ("ends that go back", [0x01, 0x20, 2, 0, 0, 0, 1, 0, 2, 0, 1, 0, 0, 0]),
            (
                "an order that is the table's",
                [0x01, 0x22, 2, 0, 0, 0, 1, 0, 1, 0, 2, 0, 0, 1, 0, 0]
            ),
            (
                "an order with a place twice",
                [0x01, 0x22, 2, 0, 0, 0, 1, 0, 1, 0, 2, 0, 1, 1, 0, 0]
            ),
            ("an order beyond the fields", [0x01, 0x22, 2, 0, 0, 0, 1, 0, 1, 0, 2, 0, 1, 2, 0, 0]),
            ("an inline name beyond its field", [0x01, 0x20, 1, 0, 0xFF, 0xFF, 2, 0, 1, 0x61]),
            (
                "an inline name's long length",
                [0x01, 0x20, 1, 0, 0xFF, 0xFF, 4, 0, 0x81, 0, 0x61, 0]
            ),
            (
                "an inline name twice",
                [0x01, 0x20, 2, 0, 0xFF, 0xFF, 0xFF, 0xFF, 3, 0, 6, 0, 1, 0x61, 0, 1, 0x61, 0]
            ),
            (
                "an id behind an inline name",
                [0x01, 0x20, 2, 0, 0xFF, 0xFF, 0, 0, 3, 0, 4, 0, 1, 0x61, 0, 0]
            ),
        ] as [(String, [UInt8])])
    func `is refused`(what: String, bytes: [UInt8]) {
        #expect(!exercise(bytes, NameDictionary(["a", "b"])), "\(what)")
    }

    @Test
    func `the examples of refused records are refused for what they say`() throws {
        // The same shapes without the fault.
        let names = NameDictionary(["a", "b"])
        let sound: [[UInt8]] = [
            [0x01, 0x20, 0, 0],
            [0x01, 0x20, 1, 0, 0, 0, 1, 0, 0x00],
            [0x01, 0x20, 1, 0, 0, 0, 3, 0, 0x03, 0, 1],
            [0x01, 0x20, 1, 0, 0, 0, 4, 0, 0x06, 0x61, 0xC3, 0xA9],
            [0x01, 0x22, 2, 0, 0, 0, 1, 0, 1, 0, 2, 0, 1, 0, 0, 0],
            [0x01, 0x20, 1, 0, 0xFF, 0xFF, 3, 0, 1, 0x61, 0],
            [0x01, 0x20, 2, 0, 0xFF, 0xFF, 0xFF, 0xFF, 3, 0, 6, 0, 1, 0x61, 0, 1, 0x62, 0],
        ]
        for bytes in sound { #expect(exercise(bytes, names), "\(bytes)") }
    }

    @Test
    func `a record that is nested too deeply is refused`() throws {
        let deepest = try TestRecord(RecordLimitTests.nested(100)).bytes
        // One level around it: an object whose one field, "a", is the record's object.
        let object = deepest.dropFirst()
        let end = UInt16(object.count)
        let deeper =
            [0x01, 0x20, 1, 0, 0, 0, UInt8(end & 0xFF), UInt8(end >> 8)] + object
        #expect(exercise(deepest, NameDictionary(["a"])))
        #expect(!exercise(deeper, NameDictionary(["a"])))
    }
}
