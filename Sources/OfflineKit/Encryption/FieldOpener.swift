// Opens the sensitive fields of records that are read.
internal import OfflineBytes
import OfflineDocuments

/// Opens one collection's records, one after another. For one thread at a time.
final class FieldOpener {
    private let sealing: CollectionSealing
    private let opener = RecordOpener()
    /// The key of the record that is opened next.
    var key: [UInt8] = []

    init(_ sealing: CollectionSealing) { self.sealing = sealing }

    /// Calls `body` with the record with its sensitive fields opened, or those of a part of them; while the store is locked, as it is, or,
    /// with `isRequired`, throws `.locked` where there is one. `.decryptionFailed` for anything that wasn't sealed there.
    ///
    /// Within the call this opener isn't to be used for another record.
    @unsafe
    func withOpened<Result>(
        _ record: RecordView, part: FieldTree? = nil, isRequired: Bool = false,
        _ body: (RecordView) throws -> Result
    ) throws -> Result {
        let ring = sealing.vault.ringIfUnlocked
        if ring == nil, !isRequired { return try unsafe body(record) }
        return try unsafe withOpened(record, part: part, ring, keepsCurrent: false, body)
    }

    /// The same with these keys; nil: none are there. `keepsCurrent`: what is sealed as it is sealed now stays so.
    @unsafe
    func withOpened<Result>(
        _ record: RecordView, part: FieldTree? = nil, _ ring: KeyRing?, keepsCurrent: Bool,
        _ body: (RecordView) throws -> Result
    ) throws -> Result {
        let (sealing, key) = (sealing, key)
        return try unsafe opener.withOpened(
            record, part ?? sealing.tree,
            { field, payload, plaintext in
                let ring = if let ring { ring } else { try sealing.ring() }
                if keepsCurrent, unsafe sealing.isCurrent(payload, field: field, ring) {
                    return false
                }
                try unsafe sealing.open(payload, field: field, key: key, ring, into: plaintext)
                return true
            }, body)
    }
}

extension CollectionSealing {
    /// A record as a document, with its sensitive fields opened. `.locked`; `.decryptionFailed` for anything that wasn't sealed there.
    @unsafe
    func document(opening record: RecordView, key: [UInt8]) throws -> Document {
        let document = try withOpener(key) { opener in
            try unsafe opener.withOpened(record, isRequired: true) { unsafe Document(copying: $0) }
        }
        try checkOpen(document)
        return document
    }
}
