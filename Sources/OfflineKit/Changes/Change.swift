// A change as callers see it.
public import Foundation
public import OfflineDocuments

/// What happened to a record.
///
/// From `getChanges`: everything that happened to it since it was last synchronized, as one change. From a feed: what one commit
/// did to it.
public struct Change: Sendable, Hashable {
    /// What a change does.
    public enum Operation: String, Sendable, Hashable {
        /// The record is new.
        case create
        /// The record is another one.
        case update
        /// The record is gone.
        case delete
        /// The collection was emptied locally; the key is null; only in feeds.
        case clear
    }
    /// Increases with every committed change of the store; never reused.
    public let sequence: UInt64
    /// The record's collection.
    public let collection: String
    /// The record's key.
    public let key: Value
    /// What happened.
    public let operation: Operation
    /// The record after the change; nil for a delete.
    public let document: Document?
    /// When the change was made, by this device's clock, to the millisecond.
    public let timestamp: Date
    /// The record as it was when last synchronized; nil for a create, or where the collection keeps
    /// none.
    public let base: Document?
    /// Top-level fields that differ from `base`, in the order of the documents: those of `document`, then those that only `base`
    /// has.
    public let changedFields: [String]
    /// What applied it: nil for the application, the server's identity for a synchronization.
    public let origin: String?

    package init(
        sequence: UInt64, collection: String, key: Value, operation: Operation,
        document: Document?, timestamp: Date, base: Document? = nil, origin: String? = nil
    ) {
        self.sequence = sequence
        self.collection = collection
        self.key = key
        self.operation = operation
        self.document = document
        self.timestamp = timestamp
        self.base = base
        self.origin = origin
        changedFields = Self.changedFields(from: base, to: document)
    }

    private static func changedFields(from base: Document?, to document: Document?) -> [String] {
        let after = document?.fieldNames ?? []
        guard let base else { return after }
        let changed = after.filter { document?[$0] != base[$0] }
        return changed + base.fieldNames.filter { document?[$0] == nil }
    }
}
