// The one public error of the store. It lives here, below the facade, because documents throw it too.

/// Every error the store throws.
///
/// `code` is what callers switch on; `description` says what, where, and what to do. No sensitive value ever appears in it.
///
/// ```swift
/// do { try await store.create("users", user) } catch let error as OfflineError where error.code == .alreadyExists { … }
/// ```
public struct OfflineError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What kind of error it is. More may be added.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private let name: String
        private init(_ name: String) { self.name = name }
        /// The code's name, as in `OfflineError.Code.notFound`.
        public var description: String { name }

        /// An option or schema that can't work, or isn't in this build; the message names it.
        public static var invalidOptions: Code { Code("invalidOptions") }
        /// A record without a key, with an invalid key, too deep, or too large.
        public static var invalidDocument: Code { Code("invalidDocument") }
        /// An unknown operator, a wrong operand, a negative limit.
        public static var invalidQuery: Code { Code("invalidQuery") }
        /// Text that is no JSON; the message has the byte offset.
        public static var invalidJSON: Code { Code("invalidJSON") }
        /// No such collection in the schema.
        public static var unknownCollection: Code { Code("unknownCollection") }
        /// No such index.
        public static var unknownIndex: Code { Code("unknownIndex") }
        /// No such relationship.
        public static var unknownRelationship: Code { Code("unknownRelationship") }
        /// Update of an absent record.
        public static var notFound: Code { Code("notFound") }
        /// Create of a present key.
        public static var alreadyExists: Code { Code("alreadyExists") }
        /// A unique index has the value already; the message names index and the other record's key.
        public static var uniqueViolation: Code { Code("uniqueViolation") }
        /// A delete that `.restrict` forbids.
        public static var relationshipViolation: Code { Code("relationshipViolation") }
        /// A record that breaks its collection's schema; the message names path and rule. Also a new schema that stored records break.
        public static var validationFailed: Code { Code("validationFailed") }
        /// Before initialize, or after close.
        public static var notOpen: Code { Code("notOpen") }
        /// A write to a store that can't be written.
        public static var readOnly: Code { Code("readOnly") }
        /// Use of a transaction after commit or rollback.
        public static var transactionClosed: Code { Code("transactionClosed") }
        /// A collection outside the declared ones, a write to a `reading:` one, the store itself inside its own transaction.
        public static var transactionScope: Code { Code("transactionScope") }
        /// Waited too long for another transaction, or used one that timed out.
        public static var transactionTimeout: Code { Code("transactionTimeout") }
        /// The disk failed while the commit waited; reopening decides.
        public static var outcomeUnknown: Code { Code("outcomeUnknown") }
        /// Another process, or another instance in this one, writes the store.
        public static var databaseLocked: Code { Code("databaseLocked") }
        /// The device is full.
        public static var storageFull: Code { Code("storageFull") }
        /// The store's own size limit is reached.
        public static var quotaExceeded: Code { Code("quotaExceeded") }
        /// The system refused access.
        public static var permissionDenied: Code { Code("permissionDenied") }
        /// No such path, or an I/O error.
        public static var storageUnavailable: Code { Code("storageUnavailable") }
        /// Damaged bytes; the message names file, offset, and what failed.
        public static var corrupted: Code { Code("corrupted") }
        /// A newer format version.
        public static var unsupportedFormat: Code { Code("unsupportedFormat") }
        /// The key doesn't open the store.
        public static var wrongKey: Code { Code("wrongKey") }
        /// Sensitive data while the store is locked.
        public static var locked: Code { Code("locked") }
        /// A policy forbids it.
        public static var accessDenied: Code { Code("accessDenied") }
        /// A sealed value that doesn't open.
        public static var decryptionFailed: Code { Code("decryptionFailed") }
        /// A migration threw.
        public static var migrationFailed: Code { Code("migrationFailed") }
        /// The stored version is above the options' version.
        public static var versionTooNew: Code { Code("versionTooNew") }
        /// Resuming from before what is retained.
        public static var changesExpired: Code { Code("changesExpired") }
        /// Nothing could be synchronized.
        public static var syncFailed: Code { Code("syncFailed") }
    }

    /// What callers switch on.
    public let code: Code
    /// What happened and what to do, without the place.
    public let message: String
    /// The collection concerned.
    public let collection: String?
    /// The record's key, where one is concerned.
    public let key: Value?

    package init(_ code: Code, _ message: String, collection: String? = nil, key: Value? = nil) {
        self.code = code
        self.message = message
        self.collection = collection
        self.key = key
    }

    /// Code, message and place in one line.
    public var description: String {
        var place = ""
        if let collection { place += " [collection \(collection)" + (key == nil ? "]" : "") }
        if let key { place += (collection == nil ? " [" : ", ") + "key \(key.json())]" }
        return "\(code): \(message)\(place)"
    }
}
