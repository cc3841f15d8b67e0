import Foundation
import Testing

@testable import OfflineDocuments

@Suite struct RecordKeyTests {
    @Test(
        arguments: [
            "", "a", 0, -1, .int(.max), .double(3), .double(-0.0), .double(-0x1p63), .data(Data()),
            .data(Data([0])), .date(.distantPast), ["a"],
            ["a", 1, .data(Data([1])), .date(.distantFuture)],
        ] as [Value])
    func `a string, an integer, data, a date or an array of these is a key`(_ value: Value) throws {
        let key = try KeyEncoder.recordKey(value)
        #expect(key == KeyEncoder.key(value))
        #expect(try KeyDecoder.value(key) == value)
    }

    @Test(
        arguments: [
            (.null, "null"),
            (true, "bool"),
            (.double(.nan), "NaN"),
            (.double(1.5), "fraction"),
            (.double(0x1p63), "outside"),
            (.double(-.infinity), "outside"),
            (.date(Date(timeIntervalSinceReferenceDate: .nan)), "no instant"),
            (.date(Date(timeIntervalSinceReferenceDate: .infinity)), "no instant"),
            (["a": 1], "object"),
            ([], "empty array"),
            (["a", .null], "null, at part 1"),
            ([["a"]], "array, at part 0"),
            ([1, 2.5], "fraction, at part 1"),
        ] as [(Value, String)])
    func `anything else is refused with its reason`(_ value: Value, _ reason: String) throws {
        let error = try #require(throws: OfflineError.self) { try KeyEncoder.recordKey(value) }
        #expect(error.code == .invalidDocument)
        #expect(error.message.contains(reason), "\(error)")
    }

    @Test func `the number of parts must be that of the paths`() throws {
        #expect(throws: OfflineError.self) { try KeyEncoder.recordKey(["a"], pathCount: 1) }
        #expect(throws: OfflineError.self) { try KeyEncoder.recordKey("a", pathCount: 2) }
        #expect(throws: OfflineError.self) { try KeyEncoder.recordKey(["a"], pathCount: 2) }
        #expect(try KeyEncoder.recordKey("a", pathCount: 1) == KeyEncoder.key("a"))
        #expect(try KeyEncoder.recordKey(["a", 1], pathCount: 2) == KeyEncoder.key(["a", 1]))
    }

    @Test func `1,024 encoded bytes are allowed and no more, and no message shows the key`() throws
    {
        let longest = String(repeating: "x", count: 1022)
        #expect(try KeyEncoder.recordKey(.string(longest)).count == 1024)
        let error = try #require(throws: OfflineError.self) {
            try KeyEncoder.recordKey(.string(longest + "x"))
        }
        #expect(error.code == .invalidDocument)
        #expect(error.message.contains("1025") && error.message.contains("1024"))
        #expect(!error.description.contains("xxx"))
        // Escaped bytes count twice.
        #expect(throws: OfflineError.self) {
            try KeyEncoder.recordKey(.data(Data(repeating: 0, count: 512)))
        }
    }
}
