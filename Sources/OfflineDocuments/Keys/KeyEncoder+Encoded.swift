// Encoded values to key bytes, read where they are: how index keys are derived from records.
package import OfflineBytes

extension KeyEncoder {
    /// The key of a sealed value with this token, made with this data key.
    package static func sealedKey(token: [UInt8], keyID: UInt32) -> [UInt8] {
        var key = [KeyLayout.sealed]
        key += token
        for shift in [0, 8, 16, 24] as [UInt32] {
            key.append(UInt8(truncatingIfNeeded: keyID >> shift))
        }
        return key
    }

    /// Appends the key of an encoded value, whose fields `names` names: the same bytes as for the decoded value.
    ///
    /// Allocates nothing, but where `key` grows and where the fields of an object have to be sorted.
    package static func append(
        _ value: EncodedValue, _ names: NameDictionary, folded: Bool = false,
        to key: inout [UInt8]
    ) {
        switch unsafe value.kind {
        case .null: key.append(KeyLayout.null)
        case .bool: unsafe append(value.bool, to: &key)
        case .int: unsafe append(value.int, to: &key)
        case .double: unsafe append(value.double, to: &key)
        case .string:
            unsafe append(value.bytes, tag: KeyLayout.string, folded: folded, to: &key)
        case .data: unsafe append(value.bytes, tag: KeyLayout.data, to: &key)
        case .date: unsafe append(seconds: value.dateSeconds, to: &key)
        case .sealed:
            let form = unsafe value.bytes[0]
            guard form & SealedValue.tokenBit != 0 else { return key.append(KeyLayout.null) }
            key.append(KeyLayout.sealed)
            let end = SealedValue.tokenOffset + SealedValue.tokenLength
            unsafe key.append(contentsOf: value.bytes[SealedValue.tokenOffset..<end])
            unsafe key.append(
                contentsOf: value.bytes[SealedValue.keyIDOffset..<SealedValue.nonceOffset])
        case .array:
            key.append(KeyLayout.array)
            for index in 0..<(unsafe value.count) {
                unsafe append(value.element(index), names, folded: folded, to: &key)
            }
            key.append(KeyLayout.end)
        case .object:
            key.append(KeyLayout.object)
            let fields = unsafe value.fieldsByName(names)
            for index in 0..<(unsafe fields.count) {
                unsafe fields[index].withName(names) { name in
                    unsafe append(name, tag: KeyLayout.string, to: &key)
                }
                unsafe append(fields[index].value, names, folded: folded, to: &key)
            }
            key.append(KeyLayout.end)
        }
    }
}
