import Foundation
import Testing

@testable import OfflineDocuments

@Suite struct KeyCodingTests {
    /// The examples of FORMAT.md.
    @Test(
        arguments: [
            (.null, "10"),
            (.double(.nan), "20 0000000000000000"),
            (.double(-.infinity), "20 000FFFFFFFFFFFFF 0000"),
            (.int(.min), "20 3C1FFFFFFFFFFFFF 0000"),
            (.int(-9_007_199_254_740_993), "20 3CBFFFFFFFFFFFFE 0001"),
            (.int(-1), "20 400FFFFFFFFFFFFF"),
            (.int(0), "20 8000000000000000"),
            (.double(-0.0), "20 8000000000000000"),
            (.int(1), "20 BFF0000000000000"),
            (.double(1.5), "20 BFF8000000000000"),
            (.int(9_007_199_254_740_991), "20 C33FFFFFFFFFFFFF"),
            (.int(9_007_199_254_740_992), "20 C340000000000000 0000"),
            (.int(9_007_199_254_740_993), "20 C340000000000000 0001"),
            (.int(.max), "20 C3DFFFFFFFFFFFFF 03FF"),
            (.double(0x1p63), "20 C3E0000000000000 0000"),
            ("", "30 00"),
            ("a\0b\u{1}é", "30 61 0101 62 0102 C3A9 00"),
            (["b": 1, "a": []], "40 30 61 00 50 00 30 62 00 20 BFF0000000000000 00"),
            ([.null, "x"], "50 10 30 78 00 00"),
            (.data(Data([0, 1, 2, 0xFF])), "60 0101 0102 02 FF 00"),
            (false, "70"),
            (true, "71"),
            (.date(Date(timeIntervalSinceReferenceDate: 0)), "80 8000000000000000"),
        ] as [(Value, String)])
    func `a value's key has these bytes`(_ value: Value, _ hex: String) throws {
        let key = KeyEncoder.key(value)
        #expect(key == Self.bytes(hex))
        #expect(try KeyDecoder.value(key) == value)
        #expect(KeyDecoder.length(key, at: 0) == key.count)
    }

    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func `a key decodes to the value it was made of`(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for step in 0..<2_000 {
            let value = random.value()
            var bytes = random.bytes()
            let start = bytes.count
            KeyEncoder.append(value, to: &bytes)
            let end = bytes.count
            bytes += random.bytes()
            var offset = start
            let decoded = try KeyDecoder.value(bytes, at: &offset)
            #expect(decoded == value, "seed \(seed), step \(step)")
            #expect(offset == end, "seed \(seed), step \(step)")
            #expect(
                KeyDecoder.length(bytes, at: start) == end - start, "seed \(seed), step \(step)")
        }
    }

    @Test func `numbers that an Int64 holds come back as ints, others as doubles`() throws {
        #expect(try KeyDecoder.value(KeyEncoder.key(.double(5))).kind == .int)
        #expect(try KeyDecoder.value(KeyEncoder.key(.double(-0x1p63))).kind == .int)
        #expect(try KeyDecoder.value(KeyEncoder.key(.double(0x1p63))).kind == .double)
        #expect(try KeyDecoder.value(KeyEncoder.key(.double(0.5))).kind == .double)
    }

    @Test(arguments: [
        ("", "nothing"),
        ("00", "an end without a beginning"),
        ("11", "no tag"),
        ("90", "above all tags"),
        ("FF", "reserved"),
        ("20 80000000000000", "a number cut short"),
        ("20 7FFFFFFFFFFFFFFF", "-0.0"),
        ("20 0000000000000001", "a NaN of other bits"),
        ("20 FFF8000000000000", "a NaN of other bits"),
        ("20 C340000000000000", "a large number without its distance"),
        ("20 C340000000000000 0002", "a distance that reaches the next double"),
        ("20 C3E0000000000000 0001", "a distance beyond Int64"),
        ("20 FFF0000000000000 0001", "a distance from infinity"),
        ("80 80", "a date cut short"),
        ("80 7FFFFFFFFFFFFFFF", "a date of -0.0"),
        ("30 61", "a string without end"),
        ("30 01 00", "an escape of the end"),
        ("30 01 03 00", "an escape of nothing"),
        ("30 FF 00", "no UTF-8"),
        ("30 C3 00", "UTF-8 cut short"),
        ("30 EDA080 00", "a surrogate"),
        ("60 61", "data without end"),
        ("50", "an array without end"),
        ("50 10", "an array without end"),
        ("40 10 10 00", "a name that is no string"),
        ("40 30 61 00 00", "a field without value"),
        ("40 30 62 00 10 30 61 00 10 00", "fields out of order"),
        ("40 30 61 00 10 30 61 00 10 00", "a field twice"),
    ])
    func `bytes that no encoder writes are refused`(_ hex: String, _ what: Comment) {
        #expect(throws: OfflineError.self, what) { try KeyDecoder.value(Self.bytes(hex)) }
    }

    @Test func `bytes after the end are refused`() {
        #expect(throws: OfflineError.self) {
            try KeyDecoder.value([KeyLayout.null, KeyLayout.null])
        }
    }

    @Test func `nesting without end is refused, not followed`() {
        let deep = [UInt8](repeating: KeyLayout.array, count: 1_000_000)
        #expect(throws: OfflineError.self) { try KeyDecoder.value(deep) }
        #expect(KeyDecoder.length(deep, at: 0) == nil)
        let limit = KeyLayout.depthMax
        let allowed = Self.nested(limit)
        #expect((try? KeyDecoder.value(allowed)) != nil)
        #expect(throws: OfflineError.self) { try KeyDecoder.value(Self.nested(limit + 1)) }
    }

    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func `damaged keys are refused or are keys themselves`(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for step in 0..<4_000 {
            var bytes = KeyEncoder.key(random.value())
            for _ in 0...random.below(3) where !bytes.isEmpty {
                switch random.below(3) {
                case 0: bytes[random.below(bytes.count)] = UInt8(truncatingIfNeeded: random.next())
                case 1: bytes.removeLast(random.below(bytes.count))
                default:
                    bytes.insert(
                        random.pick([0, 1, 2, 0x20, 0x30, 0x50, 0xFF]),
                        at: random.below(bytes.count + 1))
                }
            }
            var offset = 0
            let length = KeyDecoder.length(bytes, at: 0)
            guard let value = try? KeyDecoder.value(bytes, at: &offset) else { continue }
            #expect(KeyEncoder.key(value) == Array(bytes[..<offset]), "seed \(seed), step \(step)")
            #expect(length == offset, "seed \(seed), step \(step)")
        }
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `random bytes never trap`(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<10_000 {
            let tags: [UInt8] = [0, 1, 0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0x71, 0x80, 0xFF]
            let bytes = (0..<random.below(24)).map { _ in
                random.chance(1, in: 3)
                    ? UInt8(truncatingIfNeeded: random.next()) : random.pick(tags)
            }
            var offset = random.below(bytes.count + 2)
            let length = KeyDecoder.length(bytes, at: offset)
            #expect(length.map { $0 > 0 && offset + $0 <= bytes.count } ?? true)
            _ = try? KeyDecoder.value(bytes, at: &offset)
            _ = KeyDecoder.indexEntryParts(bytes, valueCount: 2, limit: 8)
        }
    }

    /// The bytes that a hexadecimal text with blanks stands for.
    static func bytes(_ hex: String) -> [UInt8] {
        let digits = hex.compactMap(\.hexDigitValue).map(UInt8.init)
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    /// `depth` arrays, each but the innermost with one array in it.
    private static func nested(_ depth: Int) -> [UInt8] {
        Array(repeating: KeyLayout.array, count: depth)
            + Array(repeating: KeyLayout.end, count: depth)
    }
}
