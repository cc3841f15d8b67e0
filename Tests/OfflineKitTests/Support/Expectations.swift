import OfflineDocuments
import Testing

/// Expects `body` to throw an `OfflineError` with this code; returns it for a closer look.
@discardableResult
func expectError(
    _ code: OfflineError.Code, _ comment: Comment? = nil,
    sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
) async -> OfflineError? {
    do {
        try await body()
    } catch let error as OfflineError {
        #expect(error.code == code, comment, sourceLocation: sourceLocation)
        return error
    } catch {
        Issue.record("threw \(error), not \(code)", sourceLocation: sourceLocation)
        return nil
    }
    Issue.record("threw nothing, not \(code)", sourceLocation: sourceLocation)
    return nil
}
