// Documents to the bytes that are stored: encoded, with their sensitive fields sealed.
internal import OfflineBytes
import OfflineDocuments

/// Encodes records of one collection.
struct SealingEncoder {
    private var encoder: RecordEncoder
    /// Nil where no field is sensitive.
    private let sealer: RecordSealer?

    init(_ collection: CollectionState, _ names: NameDictionary) {
        sealer = collection.sealing.map { RecordSealer($0) }
        encoder = RecordEncoder(dictionary: names, sealer: sealer)
    }

    /// The names that were appended to the dictionary since `init`.
    var newNames: [String] { encoder.newNames }
    /// The dictionary with all names that records so far use.
    var dictionary: NameDictionary { encoder.dictionary }

    /// The document as the record with this key, and whether that has just what the document shows. What is sealed already stays as it is,
    /// unless it was with an older key, or before the field had tokens or after: so all values of a record are sealed with one key, and
    /// `.locked` is thrown only where something isn't sealed.
    mutating func encode(
        _ document: Document, key: [UInt8]
    ) throws -> (record: [UInt8], isVerbatim: Bool) {
        sealer?.key = key
        let record = try encoder.encode(document)
        if encoder.isVerbatim { return (record, true) }
        guard let sealer, let ring = sealer.ringIfUnlocked else { return (record, false) }
        let names = encoder.dictionary
        let opened = try unsafe record.withUnsafeBytes {
            try unsafe sealer.opening(RecordView($0, names: names), ring)
        }
        guard let opened else { return (record, false) }
        return (try encoder.encode(opened), false)
    }

    /// The record with its fields sealed as these keys seal them now; nil where they are.
    @unsafe
    mutating func reseal(
        _ record: RecordView, key: [UInt8], _ ring: KeyRing
    ) throws -> [UInt8]? {
        sealer?.key = key
        guard let opened = try unsafe sealer?.opening(record, ring) else { return nil }
        return try encoder.encode(opened)
    }
}
