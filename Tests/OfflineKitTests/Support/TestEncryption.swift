// Encryption in tests that are about something else.
@testable import OfflineKit

extension EncryptionOptions {
    /// Seals these fields with a key that every opening has; disabled without any.
    static func forTests(_ paths: [String]) -> EncryptionOptions {
        if paths.isEmpty { return .disabled }
        return EncryptionOptions(
            sensitiveFields: paths, encryptionKeyProvider: KeyEnvelopeTests.key(1))
    }
}

extension IndexSchema {
    /// Whether an index may be like this where the paths are sensitive.
    func isAllowed(sensitive: [String]) -> Bool {
        if sensitive.isEmpty { return true }
        var schema = CollectionSchema(name: "c", indexes: [self])
        return (try? SensitiveFields.settle(&schema, [], .forTests(sensitive))) != nil
    }
}
