// From key bytes to what they stand for.
internal import OfflineDocuments

extension KeyView {
    /// Of a record's key or an index entry's. An entry that was cut, or that marks an array, stays bytes.
    init(_ bytes: [UInt8]) {
        var values: [Value] = []
        var offset = 0
        while offset < bytes.count {
            let before = offset
            guard let value = try? KeyDecoder.value(bytes, at: &offset), offset > before else {
                self = .bytes(bytes)
                return
            }
            values.append(value)
        }
        self = values.isEmpty ? .bytes(bytes) : .values(values)
    }

    /// A record's key as one JSON value; an entry's as the list of its values; `{"$bytes": "hex"}` for what is neither.
    var value: Value {
        switch self {
        case .values(let values): values.count == 1 ? values[0] : .array(values)
        case .bytes(let bytes): ["$bytes": .string(Figures.hex(bytes))]
        }
    }

    /// For a person: `"AW"`, `"Aruba", "AW"`, or hex.
    var text: String {
        switch self {
        case .values(let values): values.map { $0.extendedJSON() }.joined(separator: ", ")
        case .bytes(let bytes): "0x" + Figures.hex(bytes)
        }
    }
}
