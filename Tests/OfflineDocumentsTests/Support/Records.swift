// Short ways from documents to records and back, which validate whatever they read.
import OfflineBytes

@testable import OfflineDocuments

extension RecordValidator {
    static func validate(_ record: [UInt8], names: NameDictionary) throws(OfflineError) {
        // `withUnsafeBytes` loses the type of what is thrown.
        let result = unsafe record.withUnsafeBytes { bytes in
            Result { () throws(OfflineError) in
                try unsafe RecordValidator.validate(bytes, nameCount: names.count)
            }
        }
        try result.get()
    }
}

/// A document as a record of its own, validated.
struct TestRecord {
    let bytes: [UInt8]
    let names: NameDictionary

    init(_ document: Document, dictionary: NameDictionary = .empty) throws {
        var encoder = RecordEncoder(dictionary: dictionary)
        try self.init(document, &encoder)
    }

    init(_ document: Document, _ encoder: inout RecordEncoder) throws {
        bytes = try encoder.encode(document)
        names = encoder.dictionary
        try RecordValidator.validate(bytes, names: names)
    }

    init(bytes: [UInt8], names: NameDictionary) throws {
        self.bytes = bytes
        self.names = names
        try RecordValidator.validate(bytes, names: names)
    }

    /// The lazy document of the record.
    var document: Document { Document(record: bytes, names: names) }

    /// Calls `body` with the record's object.
    func withRoot<Result>(_ body: (EncodedValue) throws -> Result) rethrows -> Result {
        try unsafe bytes.withUnsafeBytes { bytes in
            try unsafe body(RecordView(bytes, names: names).root)
        }
    }
}

extension Value {
    /// The same with nothing left encoded: every object a list of fields.
    var built: Value {
        switch self {
        case .array(let elements): .array(elements.map(\.built))
        case .object(let document): .object(document.built)
        default: self
        }
    }
}

extension Document {
    /// The same with nothing left encoded.
    var built: Document { Document(fields: map { ($0.name, $0.value.built) }) }

    func isIdentical(to other: Document) -> Bool {
        Value.object(self).isIdentical(to: .object(other))
    }
}
