// The way in for a synchronization: its changes carry their origin and are none of the application's.
package import OfflineDocuments

/// A record as the server has it.
package struct RemoteChange: Sendable {
    package var key: Value
    /// Nil: it was deleted.
    package var document: Document?

    package init(key: Value, document: Document?) {
        self.key = key
        self.document = document
    }
}

extension OfflineStore {
    /// Makes a synchronization's changes, each of another record, in one commit. They aren't pending, and their origin is `origin`. The
    /// keys of those that conflict with a pending change of the application and were left alone.
    ///
    /// A document that breaks the collection's schema is `.validationFailed`, with its key, and none of the changes is made: what every
    /// record here fulfils holds of a server's too. Who synchronizes leaves that one out, reports it, and applies the others. A delete
    /// has nothing to fulfil.
    package func applyRemote(
        _ collection: String, _ changes: [RemoteChange], origin: String
    ) async throws -> [Value] {
        try await core().write(collection, as: "a synchronization") {
            try $0.apply(changes, origin: origin, in: $1)
        }
    }
}
