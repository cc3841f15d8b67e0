// Documents sealed and opened by themselves, without a store.
import OfflineBytes
import OfflineDocuments

@testable import OfflineKit

extension CollectionSealing {
    /// The document as the record with this key has it.
    func seal(_ document: Document, key: [UInt8]) throws -> Document {
        let sealer = RecordSealer(self)
        sealer.key = key
        var encoder = RecordEncoder(dictionary: .empty, sealer: sealer)
        let record = try encoder.encode(document)
        return Document(record: record, names: encoder.dictionary)
    }

    /// The document of a record with this key that has these fields, opened.
    func open(_ document: Document, key: [UInt8]) throws -> Document {
        var encoder = RecordEncoder(dictionary: .empty)
        let record = try encoder.encode(document)
        return try unsafe record.withUnsafeBytes {
            try unsafe self.document(
                opening: RecordView($0, names: encoder.dictionary), key: key)
        }
    }
}
