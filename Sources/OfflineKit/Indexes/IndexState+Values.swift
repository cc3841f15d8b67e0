// What of an index's entries decides whether two records have the same values.
internal import OfflineBytes

extension IndexState {
    /// The parts of an entry.
    struct Values {
        /// How many first bytes are the values that are compared: of a case-insensitive index the
        /// folded one.
        let length: Int
        /// They are cut: equal bytes don't mean equal values.
        let isCut: Bool
        /// A value is seen to be null, so the entry isn't constrained.
        let hasNull: Bool
        /// Where the record's key begins.
        let keyStart: Int
    }

    /// Measures an entry. `.corrupted` for bytes that are none.
    func values(of entry: [UInt8]) throws(OfflineError) -> Values {
        let all = try IndexKeys.parts(of: entry, valueCount: valueCount)
        let compared =
            comparedCount == valueCount
            ? all : try IndexKeys.parts(of: entry, valueCount: comparedCount)
        var offset = 0
        var hasNull = false
        while offset < compared.keyLength, let length = KeyDecoder.length(entry, at: offset) {
            if entry[offset] == Self.nullByte { hasNull = true }
            offset += length
        }
        return Values(
            length: compared.keyLength, isCut: compared.isCut, hasNull: hasNull,
            keyStart: all.keyLength)
    }

    /// The first byte of an encoded null, which is its only one.
    private static let nullByte = KeyLayout.typeRange(of: .null).first

    /// A record's values, encoded as they are compared and whole, of all its entries whose compared
    /// part is cut to `cut`.
    @unsafe
    func wholeValues(of record: RecordView, cutTo cut: [UInt8]) -> [[UInt8]] {
        let kept = cut.prefix(KeyLayout.indexKeyBytesMax)
        let all = isMultiEntry ? unsafe elements(of: record) : unsafe compound(of: record)
        return all.filter { $0.starts(with: kept) && $0.count > kept.count }
    }

    /// The values at the paths, joined; none where one of them is null.
    @unsafe
    private func compound(of record: RecordView) -> [[UInt8]] {
        var result: [UInt8] = []
        for path in paths {
            let found = unsafe BoundPath(path, in: record.names).resolve(in: record.root)
            guard let value = unsafe found.value, unsafe value.kind != .null else { return [] }
            unsafe KeyEncoder.append(value, record.names, folded: isFolded, to: &result)
        }
        return [result]
    }

    /// Each element at the one path.
    @unsafe
    private func elements(of record: RecordView) -> [[UInt8]] {
        var result: [[UInt8]] = []
        func append(_ value: EncodedValue) {
            var key: [UInt8] = []
            unsafe KeyEncoder.append(value, record.names, folded: isFolded, to: &key)
            result.append(key)
        }
        unsafe record.root.visit(paths[0].compiled(in: record.names)) { value, isElement in
            guard let value = unsafe value else { return true }
            if !isElement, unsafe value.kind == .array {
                for position in 0..<(unsafe value.count) { unsafe append(value.element(position)) }
            } else {
                unsafe append(value)
            }
            return true
        }
        return result
    }
}
