// Documents → record bytes, in one buffer that is reused: nothing is allocated per field.
//
// Steps for an object: look up each field's id, giving ids to new names; put the fields into table order; write the
// header; write the values in that order. Objects that are encoded already are copied as they are where their ids mean
// the same here, and an object with a few changed fields is spliced from its bytes and the changes.
internal import Foundation
package import OfflineBytes

/// Encodes the records of one collection; its dictionary grows as new names are met.
///
/// Copies of an encoder share their buffer, so only one of them may be encoding at a time.
package struct RecordEncoder {
    /// The names that were appended to the dictionary since `init`, in the order of their ids.
    package private(set) var newNames: [String] = []
    private let base: NameDictionary
    private(set) var table: NameTable
    let buffer: RecordBuffer
    /// Fields of the objects that are being written, the outermost first: id in the upper half, position in the lower.
    private var entries: [UInt64] = []
    /// What seals fields; nil: nothing is sealed.
    let sealer: (any FieldSealer)?
    /// What encodes a value that is to be sealed; empty until there is one.
    var sealed: [RecordEncoder] = []
    /// Ids of the names of sealed paths' branches in the objects that are being written, the outermost first.
    private var branchIDs: [UInt16] = []
    /// Whether the latest record, opened, is just what its document shows: nothing was dropped that a query had included in it, and
    /// nothing was sealed already.
    package internal(set) var isVerbatim = true
    /// A dictionary whose ids were found to mean the same here.
    var compatible: NameDictionary
    /// No name gets an id.
    private let inlinesNames: Bool

    /// `sealer`: seals fields of the records; nil: none are sealed.
    package init(dictionary: NameDictionary, sealer: (any FieldSealer)? = nil) {
        base = dictionary
        table = dictionary.table
        compatible = dictionary
        inlinesNames = false
        buffer = RecordBuffer()
        self.sealer = sealer
    }

    /// What encodes records with all their names inline, so that no dictionary knows them.
    package static var inliningNames: RecordEncoder { RecordEncoder() }

    private init() {
        base = .empty
        table = NameDictionary.empty.table
        compatible = .empty
        inlinesNames = true
        // What is to be sealed is encoded by it.
        buffer = RecordBuffer(isSecret: true)
        sealer = nil
    }

    /// The dictionary with all names that records so far use.
    package var dictionary: NameDictionary { newNames.isEmpty ? base : NameDictionary(table) }

    /// The record's bytes. Throws `.invalidDocument` where it is over 16 MiB or nested deeper than 100 levels; then the
    /// dictionary is as before.
    package mutating func encode(_ document: Document) throws(OfflineError) -> [UInt8] {
        let nameCount = newNames.count
        buffer.removeAll()
        entries.removeAll(keepingCapacity: true)
        branchIDs.removeAll(keepingCapacity: true)
        isVerbatim = true
        do {
            buffer.append(RecordLayout.format)
            try write(document, depth: 1, sealer?.fields)
            try checkSize()
        } catch {
            forgetNames(after: nameCount)
            throw error.offlineError
        }
        return buffer.contents
    }

    private mutating func forgetNames(after count: Int) {
        guard newNames.count > count else { return }
        newNames.removeSubrange(count...)
        table = base.appending(newNames).table
        compatible = base
    }
}

/// Why a document can't be a record, and the field where that showed, innermost name first.
struct RecordEncodingFault: Error {
    enum Reason {
        case tooLarge, tooDeep
        /// Its sealer can't seal it.
        case unsealable(OfflineError)
    }
    let reason: Reason
    private var path: [String] = []

    init(_ reason: Reason) { self.reason = reason }

    /// The same, inside a field or element of this name.
    func within(_ name: String) -> RecordEncodingFault {
        var result = self
        result.path.append(name)
        return result
    }

    var offlineError: OfflineError {
        // Names enough to find the place by.
        let shown = path.reversed().prefix(8).joined(separator: ".")
        let place = path.count > 8 ? shown + "…" : shown
        switch reason {
        case .tooLarge:
            return OfflineError(
                .invalidDocument,
                "the record is over \(RecordLimits.byteCountMax) bytes"
                    + (place.isEmpty ? "" : ", passed in field '\(place)'"))
        case .tooDeep:
            return OfflineError(
                .invalidDocument,
                "field '\(place)' is nested deeper than \(RecordLimits.depthMax) levels")
        case .unsealable(let error): return error
        }
    }
}

/// The fields of an object that is to be written.
protocol FieldSource {
    var count: Int { get }
    func name(_ index: Int) -> String
    /// The id of a field's name; `previous` is that of the field before.
    func id(_ index: Int, after previous: UInt16?, _ encoder: inout RecordEncoder) -> UInt16
    /// Writes a field's value; `tree`: what of it is to be sealed.
    func write(_ index: Int, _ encoder: inout RecordEncoder, depth: Int, _ tree: FieldTree?)
        throws(RecordEncodingFault)
}

// MARK: - Values

extension RecordEncoder {
    func checkSize(adding length: Int = 0) throws(RecordEncodingFault) {
        guard length <= RecordLimits.byteCountMax - buffer.count else {
            throw RecordEncodingFault(.tooLarge)
        }
    }

    /// Writes a value; `tree`: what of it is to be sealed.
    mutating func write(
        _ value: Value, depth: Int, _ tree: FieldTree?
    ) throws(RecordEncodingFault) {
        if let path = tree?.path, try seal(value, path: path, depth: depth) { return }
        switch value {
        case .null: buffer.append(ValueTag.null)
        case .bool(let value): buffer.append(value ? ValueTag.true : ValueTag.false)
        case .int(let value): write(value)
        case .double(let value): buffer.append(ValueTag.double, value.bitPattern)
        case .date(let value):
            buffer.append(ValueTag.date, value.timeIntervalSinceReferenceDate.bitPattern)
        case .string(let value):
            try checkSize(adding: value.utf8.count)
            unsafe value.withUTF8Bytes { unsafe buffer.append(ValueTag.string, $0) }
        case .data(let value):
            try checkSize(adding: value.count)
            unsafe value.withUnsafeBytes { unsafe buffer.append(ValueTag.data, $0) }
        case .array(let value): try write(value, depth: depth, tree)
        case .object(let value): try write(value, depth: depth, tree)
        }
    }

    private func write(_ value: Int64) {
        if let short = Int8(exactly: value) {
            buffer.append(ValueTag.int, short)
        } else if let short = Int16(exactly: value) {
            buffer.append(ValueTag.int, short)
        } else if let short = Int32(exactly: value) {
            buffer.append(ValueTag.int, short)
        } else {
            buffer.append(ValueTag.int, value)
        }
    }

    private mutating func write(
        _ values: [Value], depth: Int, _ tree: FieldTree?
    ) throws(RecordEncodingFault) {
        guard depth <= RecordLimits.depthMax else { throw RecordEncodingFault(.tooDeep) }
        // Each element takes three bytes at least.
        guard values.count < RecordLimits.byteCountMax / 3 else {
            throw RecordEncodingFault(.tooLarge)
        }
        var container = buffer.open(count: values.count, isObject: false)
        for index in values.indices {
            do {
                try write(values[index], depth: depth + 1, tree)
                buffer.endValue(in: &container)
                try checkSize()
            } catch {
                throw error.within(String(index))
            }
        }
    }

    private mutating func write(
        _ document: Document, depth: Int, _ tree: FieldTree?
    ) throws(RecordEncodingFault) {
        guard depth <= RecordLimits.depthMax else { throw RecordEncodingFault(.tooDeep) }
        switch document.storage {
        case .including(let object):
            isVerbatim = false
            try write(object.own, depth: depth, tree)
        case .sealed(let value):
            try checkSize(adding: value.payload.count)
            unsafe value.payload.withUnsafeBytes { unsafe buffer.append(ValueTag.sealed, $0) }
        case .fields(let fields):
            try write(FieldListSource(fields: fields), depth: depth, tree)
        case .stored(let object):
            if isCompatible(object) {
                try copy(object, depth: depth, tree)
            } else {
                try write(FieldListSource(fields: document.allFields), depth: depth, tree)
            }
        case .overlaid(let object):
            if isCompatible(object.base) {
                try splice(object, depth: depth, tree)
            } else {
                try write(FieldListSource(fields: document.allFields), depth: depth, tree)
            }
        }
    }
}

// MARK: - Objects

extension RecordEncoder {
    /// The id of a name, which is given one if it has none and may have one.
    @inline(__always)
    mutating func id(of name: String, after previous: UInt16? = nil) -> UInt16 {
        if let id = table.id(of: name, after: previous) { return id }
        return giveID(to: name)
    }

    @inline(never)
    private mutating func giveID(to name: String) -> UInt16 {
        guard !inlinesNames, name.utf8.count <= NameDictionary.nameBytesMax,
            table.count < NameDictionary.countMax, let id = table.append(name)
        else { return RecordLayout.inlineName }
        newNames.append(name)
        return id
    }

    mutating func write(
        _ source: some FieldSource, depth: Int, _ tree: FieldTree?
    ) throws(RecordEncodingFault) {
        // Each field takes five bytes at least.
        guard source.count < RecordLimits.byteCountMax / 5 else {
            throw RecordEncodingFault(.tooLarge)
        }
        let first = entries.count
        let isOrdered = gather(source)
        var container = buffer.open(count: source.count, isObject: true, isOrdered: isOrdered)
        for place in 0..<source.count {
            let entry = entries[first + place]
            buffer.setID(UInt16(truncatingIfNeeded: entry >> 32), at: place, in: container)
            if isOrdered {
                let position = Int(truncatingIfNeeded: entry & 0xFFFF_FFFF)
                buffer.setOrder(place, position: position, in: container)
            }
        }
        let firstBranch = branchIDs.count
        tree?.branches.forEach {
            branchIDs.append(table.id(of: $0.name) ?? RecordLayout.inlineName)
        }
        for place in 0..<source.count {
            let entry = entries[first + place]
            let index = Int(truncatingIfNeeded: entry & 0xFFFF_FFFF)
            let id = UInt16(truncatingIfNeeded: entry >> 32)
            do {
                if id == RecordLayout.inlineName {
                    let name = source.name(index)
                    try checkSize(adding: name.utf8.count)
                    unsafe name.withUTF8Bytes { unsafe buffer.appendInlineName($0) }
                }
                let branch = branch(of: tree, from: firstBranch, id, source.name(index))
                try source.write(index, &self, depth: depth + 1, branch)
                buffer.endValue(in: &container)
                try checkSize()
            } catch {
                throw error.within(source.name(index))
            }
        }
        entries.removeLast(entries.count - first)
        branchIDs.removeLast(branchIDs.count - firstBranch)
    }

    /// The branch that a field is on. The ids of the tree's branches begin at `first`.
    @inline(__always)
    private func branch(
        of tree: FieldTree?, from first: Int, _ id: UInt16, _ name: @autoclosure () -> String
    ) -> FieldTree? {
        guard let tree else { return nil }
        for (place, branch) in tree.branches.enumerated() where branchIDs[first + place] == id {
            if id != RecordLayout.inlineName || branch.name.hasSameUTF8(as: name()) {
                return branch.tree
            }
        }
        return nil
    }

    /// Pushes an entry for each field, in table order; returns whether that differs from the kept order.
    private mutating func gather(_ source: some FieldSource) -> Bool {
        let first = entries.count
        var inlineCount = 0
        var isAscending = true
        var previous: UInt64 = 0
        var previousID: UInt16?
        for index in 0..<source.count {
            let id = source.id(index, after: previousID, &self)
            previousID = id
            if id == RecordLayout.inlineName { inlineCount += 1 }
            let entry = UInt64(id) << 32 | UInt64(truncatingIfNeeded: index)
            if entry < previous { isAscending = false }
            previous = entry
            entries.append(entry)
        }
        if isAscending, inlineCount < 2 { return false }
        if !isAscending { sortEntries(from: first) { $0 < $1 } }
        if inlineCount > 1 {
            sortEntries(from: entries.count - inlineCount) { a, b in
                let left = source.name(Int(truncatingIfNeeded: a & 0xFFFF_FFFF))
                let right = source.name(Int(truncatingIfNeeded: b & 0xFFFF_FFFF))
                return String.orderByUTF8(left, right) < 0
            }
        }
        return (0..<source.count).contains { place in
            entries[first + place] & 0xFFFF_FFFF != UInt64(truncatingIfNeeded: place)
        }
    }

    private mutating func sortEntries(
        from first: Int, by isBefore: (UInt64, UInt64) -> Bool
    ) {
        if entries.count - first > 32 {
            var sorted = Array(entries[first...])
            sorted.sort(by: isBefore)
            entries.replaceSubrange(first..., with: sorted)
            return
        }
        for next in first..<entries.count {
            let entry = entries[next]
            var place = next
            while place > first, isBefore(entry, entries[place - 1]) {
                entries[place] = entries[place - 1]
                place -= 1
            }
            entries[place] = entry
        }
    }
}

/// Fields in a list.
private struct FieldListSource: FieldSource {
    let fields: [Document.Field]

    var count: Int { fields.count }

    func name(_ index: Int) -> String { fields[index].name }

    func id(_ index: Int, after previous: UInt16?, _ encoder: inout RecordEncoder) -> UInt16 {
        encoder.id(of: fields[index].name, after: previous)
    }

    func write(
        _ index: Int, _ encoder: inout RecordEncoder, depth: Int, _ tree: FieldTree?
    ) throws(RecordEncodingFault) {
        try encoder.write(fields[index].value, depth: depth, tree)
    }
}
