// From a record's key bytes to what they stand for.
internal import OfflineDocuments

extension KeyView {
    /// Of any bytes.
    init(_ bytes: [UInt8]) {
        self = (try? KeyDecoder.value(bytes)).map(KeyView.value) ?? .bytes(bytes)
    }

    /// The key as one JSON value; `{"$bytes": "hex"}` for what is no key.
    var json: Value {
        switch self {
        case .value(let value): value
        case .bytes(let bytes): ["$bytes": .string(Figures.hex(bytes))]
        }
    }

    /// For a person: `"AW"`, or hex.
    var text: String {
        switch self {
        case .value(let value): value.extendedJSON()
        case .bytes(let bytes): "0x" + Figures.hex(bytes)
        }
    }
}
