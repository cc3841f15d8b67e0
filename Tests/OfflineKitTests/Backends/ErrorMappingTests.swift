import OfflineDocuments
import OfflineEngine
import Testing

@testable import OfflineKit

@Suite struct ErrorMappingTests {
    private struct Odd: Error, CustomStringConvertible {
        var description: String { "the cable is out" }
    }

    static let codes: [(EngineError.Code, OfflineError.Code)] = [
        (.corrupted, .corrupted), (.unsupportedFormat, .unsupportedFormat),
        (.locked, .databaseLocked), (.storageFull, .storageFull),
        (.permissionDenied, .permissionDenied), (.unavailable, .storageUnavailable),
        (.readOnly, .readOnly), (.outcomeUnknown, .outcomeUnknown), (.closed, .notOpen),
        (.limit, .invalidDocument),
    ]

    @Test(arguments: codes)
    func `each engine code has a public one, with file and offset in the message`(
        code: EngineError.Code, expected: OfflineError.Code
    ) throws {
        let error = EngineError(code, "bad", file: "00000001.log", offset: 4096)
        let mapped = try #require(
            ErrorMapping.publicError(error, collection: "c", key: 5) as? OfflineError)
        #expect(mapped.code == expected)
        #expect(mapped.message.contains("00000001.log at offset 4096"))
        #expect(mapped.collection == "c")
        #expect(mapped.key == 5)
    }

    @Test func `a public error keeps its place, or gets one`() throws {
        let placed = OfflineError(.notFound, "m", collection: "a", key: 1)
        #expect(
            ErrorMapping.publicError(placed, collection: "b", key: 2) as? OfflineError == placed)
        let mapped = ErrorMapping.publicError(
            OfflineError(.corrupted, "m"), collection: "b", key: 2)
        #expect(
            mapped as? OfflineError == OfflineError(.corrupted, "m", collection: "b", key: 2))
    }

    @Test func `a cancellation stays one, anything else is the storage's failure`() throws {
        #expect(ErrorMapping.publicError(CancellationError()) is CancellationError)
        let odd = try #require(ErrorMapping.publicError(Odd()) as? OfflineError)
        #expect(odd.code == .storageUnavailable)
        #expect(odd.message.contains("the cable is out"))
    }
}
