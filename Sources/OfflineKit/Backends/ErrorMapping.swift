// Whatever a backend throws, as the one public error: the only place where the engine's errors are
// translated.
internal import OfflineEngine

/// Translates errors that cross from a backend into the store.
enum ErrorMapping {
    /// `error` as callers of the store see it. An `OfflineError` and a cancellation stay as they
    /// are; what a custom backend throws of its own is `.storageUnavailable` with its description.
    static func publicError(
        _ error: any Error, collection: String? = nil, key: Value? = nil
    ) -> any Error {
        switch error {
        case let error as OfflineError:
            guard error.collection == nil, collection != nil else { return error }
            return OfflineError(
                error.code, error.message, collection: collection, key: error.key ?? key)
        case let error as EngineError:
            return OfflineError(
                code(error.code), error.description, collection: collection, key: key)
        case is CancellationError:
            return error
        default:
            return OfflineError(
                .storageUnavailable, "the storage backend failed: \(error)",
                collection: collection, key: key)
        }
    }

    private static func code(_ code: EngineError.Code) -> OfflineError.Code {
        switch code {
        case .corrupted: .corrupted
        case .unsupportedFormat: .unsupportedFormat
        case .locked: .databaseLocked
        case .storageFull: .storageFull
        case .quotaExceeded: .quotaExceeded
        case .permissionDenied: .permissionDenied
        case .unavailable, .outOfMemory: .storageUnavailable
        case .readOnly: .readOnly
        case .outcomeUnknown: .outcomeUnknown
        case .closed: .notOpen
        case .limit: .invalidDocument
        }
    }
}
