import OfflineDocuments
import OfflineEngine
import Testing

/// Expects `body` to throw an `OfflineError` with this code; returns it for a closer look.
@discardableResult
func expectError(
    _ code: OfflineError.Code, _ comment: Comment? = nil,
    sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
) async -> OfflineError? {
    await expect("\(code)", \.code.description, comment, sourceLocation, body)
}

/// Expects `body` to throw an `EngineError` with this code; returns it for a closer look.
@discardableResult
func expectEngineError(
    _ code: EngineError.Code, _ comment: Comment? = nil,
    sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
) async -> EngineError? {
    await expect("\(code)", \.codeName, comment, sourceLocation, body)
}

extension EngineError {
    fileprivate var codeName: String { "\(code)" }
}

/// Expects an error of this type whose code has this name.
private func expect<Failure: Error>(
    _ code: String, _ name: KeyPath<Failure, String>, _ comment: Comment?,
    _ sourceLocation: SourceLocation, _ body: () async throws -> Void
) async -> Failure? {
    do {
        try await body()
    } catch let error as Failure {
        #expect(error[keyPath: name] == code, comment, sourceLocation: sourceLocation)
        return error
    } catch {
        Issue.record("threw \(error), not \(code)", sourceLocation: sourceLocation)
        return nil
    }
    Issue.record("threw nothing, not \(code)", sourceLocation: sourceLocation)
    return nil
}
